"""`sojourn journeys diff` and `move`: what versions differ in, and moving instances to the newest one."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from sojourn.cli.commands.journeys import NameArgument, app, path
from sojourn.cli.commands.options import ApiOption, JsonOption, KeyOption
from sojourn.cli.commands.steering import DetachOption, line, moved
from sojourn.cli.output import CliError, ExitCode, counted, out, say, show_json


def register() -> None:
    """Add the commands to `sojourn journeys`."""
    app.command("diff")(diff)
    app.command("move")(move)


def diff(
    name: NameArgument,
    first: Annotated[
        int | None,
        typer.Argument(help="The earlier version; the one before it if left out.", metavar="A", min=1),
    ] = None,
    second: Annotated[
        int | None, typer.Argument(help="The later version; the latest if left out.", metavar="B", min=1)
    ] = None,
    project: Annotated[
        Path | None,
        typer.Option(
            help="Compare with the files of this project, as they would be published.", metavar="PROJECT"
        ),
    ] = None,
    api: ApiOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Shows what two versions differ in: `+` is new, `-` is gone, `~` is another one."""
    from sojourn.cli.api_client import ApiClient, api_url

    if project is not None and second is not None:
        raise typer.BadParameter("with --project, one version is enough", param_hint="B")
    with ApiClient(api_url(api, project), key) as client:
        if project is not None:
            answer = _with_project(client, name, first, project)
        else:
            # One number alone is the earlier one, and is compared with the latest.
            answer = client.get(f"{path(name)}/diff", **{"from": first, "to": second})
    if as_json:
        show_json(answer)
        return
    to = f"version {answer['to']}" if answer["to"] is not None else f"the files of {project}"
    if not answer["changes"]:
        say(f"{name}: no difference between version {answer['from']} and {to}")
        return
    say(f"{name}: from version {answer['from']} to {to}")
    for change in answer["changes"]:
        say(_line(change))


def _with_project(client: Any, name: str, version: int | None, project: Path) -> dict[str, Any]:
    from sojourn.cli.project import load, summary
    from sojourn.definitions.difference import compare

    loaded = load(project)
    if not loaded.ok:
        problems = [problem.as_dict() for problem in loaded.problems]
        raise CliError(f"{project} cannot be compared: {summary(problems)}; `sojourn validate` names them")
    if name not in loaded.journeys:
        raise CliError(f"{project} has no journey {name}", ExitCode.PROBLEMS)
    number = version or client.get(path(name))["version"]
    published = client.get(f"{path(name)}/versions/{number}")
    changes = compare(published["definition"], loaded.compiled()[name])
    return {"journey": name, "from": number, "to": None, "changes": [change.as_dict() for change in changes]}


def _line(change: dict[str, Any]) -> str:
    from sojourn.definitions.difference import Change

    return str(Change(change["path"], change["kind"], change["old"], change["new"]))


def move(
    name: NameArgument,
    version: Annotated[
        int | None, typer.Option("--from", help="Only instances in this version.", metavar="VERSION", min=1)
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only ask which could be moved.")] = False,
    detach: DetachOption = False,
    api: ApiOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Moves running instances to the newest version, where they stand at a wait that both versions have.

    The others stay in their version, and are listed with the reason. Ctrl-C stops watching, not moving.
    """
    from sojourn.cli.api_client import ApiClient, api_url

    if dry_run and detach:
        raise typer.BadParameter("--dry-run moves nothing that could go on", param_hint="--detach")
    with ApiClient(api_url(api), key) as client:
        answer = _asked(client, name, version) if dry_run else moved(client, name, version, detach)
    if as_json:
        show_json(answer)
    elif dry_run:
        _show_asked(answer)
    else:
        _show_moved(answer)


def _asked(client: Any, name: str, version: int | None) -> dict[str, Any]:
    found: list[dict[str, Any]] = []
    page: str | None = None
    while True:
        answer = client.get(f"{path(name)}/movable", **{"from": version, "page": page})
        found += answer["instances"]
        page = answer["next_page"]
        if page is None:
            return {"journey": name, "to": answer["to"], "instances": found}


def _show_asked(answer: dict[str, Any]) -> None:
    from sojourn.cli.tables import table

    counts = Counter(one["effect"] for one in answer["instances"])
    could, stay = (counted(counts[effect], "instance") for effect in ("movable", "refused"))
    say(f"{could} could be moved to version {answer['to']}; {stay} would stay")
    rows = [
        (one["workflow_id"], one["version"], one["message"])
        for one in answer["instances"]
        if one["effect"] == "refused"
    ]
    if rows:
        out().print(table(("Instance", "Version#", "Why it stays"), rows))


def _show_moved(answer: dict[str, Any]) -> None:
    from sojourn.cli.tables import table

    operation = answer["operation"]
    say(line(operation))
    if operation["failures"]:
        rows = [(one["workflow_id"], one["message"]) for one in operation["failures"]]
        out().print(table(("Instance", "Why it stays"), rows))
