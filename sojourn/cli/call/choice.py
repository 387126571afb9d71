"""Which endpoint a test call means, and what it is called with."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sojourn.cli.call.selection import only
from sojourn.cli.call.trial import TrialCaller
from sojourn.cli.environment import load_settings
from sojourn.cli.output import CliError, ExitCode, counted, warn
from sojourn.cli.project import describe, load
from sojourn.cli.project_environment import development
from sojourn.definitions import EndpointDefinition, Project
from sojourn.settings import Settings


def chosen(name: str, kind: str | None, folder: Path) -> EndpointDefinition:
    """Return the endpoint of a project's files that a name means.

    What is wrong with the rest of the project does not matter: somebody works on it.

    Args:
        name: Its name, or `source:NAME` or `action:NAME`.
        kind: `source` or `action`; None: whichever there is.
        folder: The project.

    Raises:
        CliError: There is none, there are two, or its definition has errors.
    """
    project = load(folder)
    hidden = [] if project.ok else describe([problem.as_dict() for problem in project.errors])
    key = only(
        name, kind, list(project.endpoints), "this folder" if folder == Path() else str(folder), hidden
    )
    definition = project.endpoints[key]
    own = _own_errors(project, definition)
    if own:
        raise CliError(
            f"the {definition.kind} {definition.name} cannot be called:\n  " + "\n  ".join(describe(own))
        )
    if not project.ok:
        count = counted(len(project.errors), "error")
        warn(f"warning: the project has {count} elsewhere; `sojourn validate` shows what is wrong.")
    return definition


def published_endpoint(
    name: str, kind: str | None, api: str | None, folder: Path, key: str | None
) -> EndpointDefinition:
    """Return the endpoint that is published under a name; see `chosen`."""
    from sojourn.cli.api_client import ApiClient, api_url

    with ApiClient(api_url(api, folder), key) as client:
        known = [f"{item['kind']}:{item['name']}" for item in client.get("/v1/endpoints")["endpoints"]]
        found = only(name, kind, known, "what is published")
        answer = client.get("/v1/endpoints/{}/{}".format(*found.split(":", 1)))
    return EndpointDefinition.load(answer["definition"])


def caller(definition: EndpointDefinition, folder: Path) -> TrialCaller:
    """Return what calls the endpoint as `sojourn dev` would from a project's folder.

    Raises:
        CliError: A setting is not right.
    """
    variables = development(folder.absolute())
    settings = load_settings(
        dotenv=variables["SOJOURN_DOTENV"],
        secrets=variables["SOJOURN_SECRETS"],
        allow_hosts=variables["SOJOURN_ALLOW_HOSTS"],
    )
    try:
        return TrialCaller(definition, settings, _functions(definition, settings, folder))
    except (ValueError, OSError) as error:
        raise CliError(f"the settings are not right: {error}", ExitCode.USAGE) from error


def _own_errors(project: Project, definition: EndpointDefinition) -> list[dict[str, Any]]:
    """Return the errors of the document that defines an endpoint."""
    head = re.compile(rf"{definition.kind}:\s*['\"]?{re.escape(definition.name)}['\"]?\s*(#.*)?")
    found = []
    for problem in project.errors:
        lines = project.files.get(problem.file, "").splitlines()
        begin = end = min(max(problem.line, 1), len(lines))
        while begin > 0 and not lines[begin - 1].startswith("---"):
            begin -= 1
        while end < len(lines) and not lines[end].startswith("---"):
            end += 1
        if any(head.fullmatch(line) for line in lines[begin:end]):
            found.append(problem.as_dict())
    return found


def _functions(definition: EndpointDefinition, settings: Settings, folder: Path) -> list[Any]:
    """Return the project's Python functions, where the endpoint is one."""
    if definition.python is None:
        return []
    from sojourn.cli.python_functions import load_python

    return load_python(settings, folder).functions
