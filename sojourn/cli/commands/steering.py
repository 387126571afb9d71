"""`sojourn journeys pause NAME` and the like, and `sojourn operations`: steering journeys."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sojourn.cli.commands.journeys import NameArgument, app, path
from sojourn.cli.commands.options import ApiOption, JsonOption, KeyOption
from sojourn.cli.output import CliError, counted, out, say, show_json, warn

if TYPE_CHECKING:
    from sojourn.cli.api_client import ApiClient

POLL_SECONDS = 0.25

VersionOption = Annotated[
    int | None,
    typer.Option(
        "--version", help="Only instances of this version; the journey's state stays.", min=1, metavar="N"
    ),
]
DetachOption = Annotated[
    bool, typer.Option("--detach", help="Do not wait until all instances are worked through.")
]

FAILURES_PAGE = 1000

_DOING = {"pause": "Pausing", "resume": "Resuming", "stop": "Stopping", "move": "Moving"}


@app.command("pause")
def pause(
    name: NameArgument,
    version: VersionOption = None,
    detach: DetachOption = False,
    api: ApiOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Pauses a live journey: nobody enters, and every instance freezes until the journey is resumed.

    Timers keep their due times, events are kept, and no instance makes a call. Ctrl-C stops watching, not pausing.
    """
    _operate("pause", name, version, detach, api, key, as_json)


@app.command("resume")
def resume(
    name: NameArgument,
    version: VersionOption = None,
    detach: DetachOption = False,
    api: ApiOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Resumes a paused journey: profiles enter, and its instances go on. What fell due meanwhile happens now.

    An instance that was paused by itself (`sojourn instances pause`) stays paused.
    """
    _operate("resume", name, version, detach, api, key, as_json)


@app.command("stop")
def stop(
    name: NameArgument,
    version: VersionOption = None,
    detach: DetachOption = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    api: ApiOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Stops a journey: nobody enters, and every instance ends as stopped. It cannot be taken back."""
    if not yes:
        which = "every instance" if version is None else f"every instance of version {version}"
        typer.confirm(f"Stop {name}? This ends {which} for good", abort=True, err=True)
    _operate("stop", name, version, detach, api, key, as_json)


@app.command("close")
def close(
    name: NameArgument, api: ApiOption = None, key: KeyOption = None, as_json: JsonOption = False
) -> None:
    """Closes a journey: nobody enters, and those inside finish. The last one makes it finished."""
    _act("close", name, api, key, as_json)


@app.command("reopen")
def reopen(
    name: NameArgument, api: ApiOption = None, key: KeyOption = None, as_json: JsonOption = False
) -> None:
    """Reopens a closed, stopped or finished journey: its newest version becomes the next one, and live."""
    _act("reopen", name, api, key, as_json)


@app.command("publish")
def publish(
    name: NameArgument, api: ApiOption = None, key: KeyOption = None, as_json: JsonOption = False
) -> None:
    """Publishes the draft of a journey, which `sojourn publish --draft` saved."""
    _act("publish", name, api, key, as_json)


@app.command("discard")
def discard(
    name: NameArgument, api: ApiOption = None, key: KeyOption = None, as_json: JsonOption = False
) -> None:
    """Discards the draft of a journey. What is published stays as it is."""
    with _client(api, key) as client:
        answer = client.delete(f"{path(name)}/draft")
    if as_json:
        show_json(answer)
    else:
        say(f"The draft of {name} is discarded.")


def operations(
    number: Annotated[
        int | None, typer.Argument(help="Show this one, with what failed.", metavar="ID", min=1)
    ] = None,
    journey: Annotated[
        str | None, typer.Option(help="Only operations over this journey.", metavar="NAME")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", help="With ID: wait until it is over.")] = False,
    limit: Annotated[int, typer.Option(help="Most operations to list.", min=1, max=1000)] = 50,
    api: ApiOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Lists what is done with all instances of a journey in the background, newest first, or shows one."""
    if number is None and follow:
        raise typer.BadParameter("--follow needs the ID of an operation", param_hint="--follow")
    with _client(api, key) as client:
        if number is None:
            answer = client.get("/v1/operations", journey=journey, limit=limit)
        else:
            answer = client.get(f"/v1/operations/{number}", failures=0)
            if follow:
                with _going_on(answer["journey"]) as known:
                    answer = _watched(client, known(answer))
            answer = {**answer, "failures": failures(client, answer)}
    if as_json:
        show_json(answer)
    elif number is None:
        _show_operations(answer["operations"])
    else:
        say(line(answer))
        for failure in answer["failures"]:
            say(f"  {failure['workflow_id']}: {failure['message']}")


def _act(what: str, name: str, api: str | None, key: str | None, as_json: bool) -> None:
    with _client(api, key) as client:
        answer = client.post(f"{path(name)}/{what}", None)
    if as_json:
        show_json(answer)
    else:
        say(f"{name} is {answer['state']}, version {answer['version']}.")


def _operate(
    what: str,
    name: str,
    version: int | None,
    detach: bool,
    api: str | None,
    key: str | None,
    as_json: bool,
) -> None:
    """Do something with all instances, and show how far it is.

    Raises:
        CliError: It failed with some instances; which ones, `sojourn operations` shows.
    """
    with _client(api, key) as client, _going_on(name) as known:
        answer = client.post(f"{path(name)}/{what}", None, version=version)
        operation = known(answer["operation"])
        if not as_json:
            say(f"{name} is {answer['state']}.")
        if not detach:
            operation = _watched(client, operation)
            answer = {**answer, "operation": operation}
    if as_json:
        show_json(answer)
    else:
        say(line(operation))
    if operation["failed"]:
        raise CliError(
            f"{counted(operation['failed'], 'instance')} could not be reached: "
            f"`sojourn operations {operation['id']}` says which and why"
        )


@contextlib.contextmanager
def _going_on(journey: str) -> Iterator[Callable[[dict[str, Any]], dict[str, Any]]]:
    """Say, where a command breaks off, that the operation does not; gives a function that is told which it is."""
    number: int | None = None

    def known(operation: dict[str, Any]) -> dict[str, Any]:
        nonlocal number
        number = operation["id"]
        return operation

    try:
        yield known
    except (KeyboardInterrupt, CliError) as end:
        if number is not None:
            warn(f"It goes on in the background: `sojourn operations {number} --follow` watches it again.")
        elif isinstance(end, KeyboardInterrupt):
            warn(f"It may have begun: `sojourn operations --journey {journey}` shows whether it has.")
        raise


def moved(client: ApiClient, name: str, version: int | None, detach: bool) -> dict[str, Any]:
    """Move the instances of a journey to its newest version.

    Args:
        client: The API.
        name: The journey's name.
        version: Only those in this version; None: those in all earlier ones.
        detach: Whether not to wait until all are worked through.

    Returns:
        What the API answered, with the operation as it is at the end and with all that it failed with.

    Raises:
        CliError: The API refused it, or could not be reached.
    """
    with _going_on(name) as known:
        answer: dict[str, Any] = client.post(f"{path(name)}/move", None, **{"from": version})
        operation = known(answer["operation"])
        if not detach:
            operation = _watched(client, operation)
    return {**answer, "operation": {**operation, "failures": failures(client, operation)}}


def _watched(client: ApiClient, operation: dict[str, Any]) -> dict[str, Any]:
    """Show how far an operation is until it is over; returns it."""
    from sojourn.cli.progress import counting

    number = operation["id"]
    said = f"{_DOING.get(operation['kind'], operation['kind'])} {operation['journey']}"
    with counting(said) as show:
        while True:
            operation = client.get(f"/v1/operations/{number}", failures=0)
            show(operation["done"] + operation["failed"], operation["total"])
            if operation["state"] != "running":
                return operation
            time.sleep(POLL_SECONDS)


def failures(client: ApiClient, operation: dict[str, Any]) -> list[dict[str, Any]]:
    """Read every instance at which an operation failed, page by page."""
    found: list[dict[str, Any]] = []
    while len(found) < operation["failed"]:
        behind = found[-1]["workflow_id"] if found else ""
        which = {"failures": FAILURES_PAGE, "after": behind}
        page = client.get(f"/v1/operations/{operation['id']}", **which)["failures"]
        if not page:
            break
        found += page
    return found


def line(operation: dict[str, Any]) -> str:
    """Say in one line what an operation is and how far it has come."""
    which = "" if operation["version"] is None else f" version {operation['version']}"
    said = (
        f"Operation {operation['id']}, {operation['kind']} {operation['journey']}{which}: {operation['state']}; "
        f"{operation['done']:,} of {counted(operation['total'], 'instance')} done"
    )
    return said + (f", {operation['failed']:,} failed" if operation["failed"] else "")


def _show_operations(found: list[dict[str, Any]]) -> None:
    from sojourn.cli.tables import moment, table

    if not found:
        say("No operations.")
        return
    columns = (
        "Id#",
        "Operation",
        "Journey",
        "Version#",
        "State",
        "Total#",
        "Done#",
        "Failed#",
        "Begun (UTC)",
    )
    rows = [
        (
            item["id"],
            item["kind"],
            item["journey"],
            "all" if item["version"] is None else item["version"],
            item["state"],
            item["total"],
            item["done"],
            item["failed"],
            moment(item["created_at"]),
        )
        for item in found
    ]
    out().print(table(columns, rows))


def _client(api: str | None, key: str | None) -> ApiClient:
    from sojourn.cli.api_client import ApiClient, api_url

    return ApiClient(api_url(api), key)
