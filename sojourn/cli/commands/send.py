"""`sojourn send`: one event, or a file of them."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sojourn.cli.commands.options import ApiOption, JsonOption, KeyOption
from sojourn.cli.output import CliError, ExitCode, say, show_json, warn

if TYPE_CHECKING:
    from sojourn.cli.api_client import ApiClient

SHOWN = 10
"""Bad lines and refusals that are shown one by one to a person."""


def send(
    name: Annotated[
        str | None, typer.Argument(help="The event's name, such as order.placed.", metavar="NAME")
    ] = None,
    data: Annotated[str | None, typer.Option(help="The event's data, as JSON.", metavar="JSON")] = None,
    event_id: Annotated[
        str | None, typer.Option("--id", help="The event's id. Sending the same id again is harmless.")
    ] = None,
    time: Annotated[
        str | None, typer.Option(help="When it happened, such as 2026-03-01T10:00:00Z. Now if left out.")
    ] = None,
    file: Annotated[
        str | None,
        typer.Option(
            help="A file with one event on each line, as JSON. - is standard input.", metavar="FILE"
        ),
    ] = None,
    batch: Annotated[int, typer.Option(help="Events in one request, with --file.", min=1, max=1000)] = 500,
    patience: Annotated[
        float,
        typer.Option(help="Seconds to keep trying while Temporal or the API is away, with --file.", min=0),
    ] = 60.0,
    api: ApiOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Sends an event, or a file of events.

    A line of a file is `{"id": "e-1", "name": "order.placed", "time": "2026-03-01T10:00:00Z", "data": {}}`;
    `time` may be left out. Give each event an id: then the same file can be sent again, after Ctrl-C or a
    failure, and what was taken already is answered as duplicate.

    Exit status 1: the event was refused; with --file, a line was no event or its data were wrong (reasons
    invalid and no_key). That an event of a file has no effect, since nobody waits for it, is no failure.
    """
    if (name is None) == (file is None):
        raise typer.BadParameter("give either the NAME of an event or --file FILE", param_hint="NAME")
    if file is not None:
        if data or event_id or time:
            raise typer.BadParameter("--data, --id and --time belong to a single event", param_hint="--file")
        _send_file(file, batch, patience, api, key, as_json)
    else:
        event = {"name": name, "id": event_id, "time": time, "data": _parse(data)}
        _send_one({member: value for member, value in event.items() if value is not None}, api, key, as_json)


def _parse(data: str | None) -> Any:
    if data is None:
        return {}
    try:
        return json.loads(data)
    except ValueError as error:
        raise CliError(
            f"--data is not JSON: {error}. Write it in single quotes, "
            'such as --data \'{"customerId": "c-1"}\'',
            ExitCode.USAGE,
        ) from error


def _post_one(client: ApiClient, event: dict[str, Any]) -> dict[str, Any]:
    from sojourn.cli.api_client import ApiRefusedError

    try:
        answer = client.post("/v1/events", event)
    except ApiRefusedError as error:
        results = error.problem.get("results") or [{}]
        if "id" in event or not results[0].get("id"):
            raise
        # It may have been taken all the same, so it must not be sent again as another event.
        raise CliError(
            f"{error}. Give it `--id {results[0]['id']}` then: it counts once", error.code
        ) from error
    result: dict[str, Any] = answer["results"][0]
    return result


def _send_one(event: dict[str, Any], api: str | None, key: str | None, as_json: bool) -> None:
    from sojourn.cli.api_client import ApiClient, api_url

    with ApiClient(api_url(api), key) as client:
        result = _post_one(client, event)
    if as_json:
        show_json(result)
    else:
        say(f"{result['status']}: {result['name']} ({result['id']})")
        for instance in result["instances"]:
            say(f"  {instance['effect']} {instance['workflow_id']} (version {instance['version']})")
        for refusal in result["refusals"]:
            about = " ".join(filter(None, (refusal.get("journey"), refusal.get("per"))))
            about = f"{about}: " if about else ""
            say(f"  {about}{refusal['reason']}: {refusal['message']}")
            for violation in refusal.get("violations") or []:
                say(f"    {violation.get('path') or '/'}: {violation.get('message')}")
    if result["status"] == "refused":
        raise typer.Exit(int(ExitCode.PROBLEMS))


def _send_file(
    path: str, size: int, patience: float, api: str | None, key: str | None, as_json: bool
) -> None:
    from sojourn.cli.api_client import ApiClient, api_url
    from sojourn.cli.files import opened, progress
    from sojourn.cli.send.reader import read_batches
    from sojourn.cli.send.sender import Sender, Tally

    with contextlib.ExitStack() as stack:
        file, total = stack.enter_context(opened(path))
        client = stack.enter_context(ApiClient(api_url(api), key))
        advance = stack.enter_context(progress("Sending", path, total))
        sender = Sender(client, patience=patience, notify=warn)
        done = False
        try:
            for batch in read_batches(file, size):
                if batch.unprotected and not sender.tally.unprotected:
                    warn("Warning: some events have no id. Sending the file again would count them again.")
                sender.send(batch)
                advance(batch.bytes_read)
            done = True
        finally:
            if not done:
                _explain_stop(sender.tally)
    tally: Tally = sender.tally
    if as_json:
        show_json(tally.as_dict())
    else:
        _show(tally)
    if not tally.clean:
        raise typer.Exit(int(ExitCode.PROBLEMS))


def _explain_stop(tally: Any) -> None:
    if tally.sent:
        again = ", except events without an id" if tally.unprotected else ""
        warn(
            f"Stopped after {tally.sent:,} events were answered. Send the same file again to go on: "
            f"what was taken is answered as duplicate{again}."
        )


def _show(tally: Any) -> None:
    say(
        f"{tally.sent:,} events sent: {tally.statuses['accepted']:,} accepted, "
        f"{tally.statuses['duplicate']:,} "
        f"duplicate, {tally.statuses['refused']:,} refused; {tally.effects['started']:,} instances started, "
        f"{tally.effects['signalled']:,} signalled."
    )
    for reason, count in tally.reasons.most_common():
        say(f"  {reason}: {count:,}")
    wrong = [(bad.line, bad.message) for bad in tally.bad_lines]
    wrong += [(item["line"], f"{item['reason']}: {item['message']}") for item in tally.mistakes]
    for line, message in sorted(wrong)[:SHOWN]:
        warn(f"line {line}: {message}")
    if len(wrong) > SHOWN:
        warn(f"... and {len(wrong) - SHOWN:,} more lines that are wrong (--json lists them)")
