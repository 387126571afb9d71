"""`sojourn journeys diff` and `move`: what versions differ in, and moving instances to the newest one."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from sojourn.cli.commands.journeys import NameArgument, app, path
from sojourn.cli.commands.options import ApiOption, JsonOption, KeyOption
from sojourn.cli.console import CliError, ExitCode, counted, out, say, show_json


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
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say which could be moved.")] = False,
    api: ApiOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Moves running instances to the newest version, where they stand at a wait that both versions have.

    The others stay in their version, and are listed with the reason. It can be ended and started again at any time.
    """
    from sojourn.cli.api_client import ApiClient, api_url

    found: list[dict[str, Any]] = []
    page: str | None = None
    with ApiClient(api_url(api), key) as client:
        while True:
            answer = client.post(f"{path(name)}/move", None, **_parameters(version, dry_run, page))
            found += answer["instances"]
            page = answer["next_page"]
            if page is None:
                break
    if as_json:
        show_json({"journey": name, "to": answer["to"], "instances": found})
        return
    _show(found, answer["to"], dry_run)


def _parameters(version: int | None, dry_run: bool, page: str | None) -> dict[str, Any]:
    return {"from": version, "dry_run": dry_run, "page": page}


def _show(found: list[dict[str, Any]], to: int, dry_run: bool) -> None:
    from sojourn.cli.tables import table

    counts = Counter(one["effect"] for one in found)
    done = counts["movable" if dry_run else "moved"]
    words = "could be moved" if dry_run else "moved"
    say(f"{counted(done, 'instance')} {words} to version {to}; {counted(counts['refused'], 'instance')} stay")
    refused = [one for one in found if one["effect"] == "refused"]
    if refused:
        rows = [(one["workflow_id"], one["version"], one["message"]) for one in refused]
        out().print(table(("Instance", "Version#", "Why it stays"), rows))
