"""`sojourn instances`: what is running."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from sojourn.cli.commands.options import ApiOption, JsonOption, KeyOption
from sojourn.cli.output import counted, out, say, show_json, warn


def instances(
    instance: Annotated[
        str | None, typer.Argument(help="Show this one with its steps: JOURNEY:PROFILE.", metavar="ID")
    ] = None,
    journey: Annotated[
        str | None, typer.Option(help="Only instances of this journey.", metavar="NAME")
    ] = None,
    profile: Annotated[
        str | None, typer.Option(help="Only instances of this profile.", metavar="KEY")
    ] = None,
    status: Annotated[
        str | None,
        typer.Option(help="Only these: running, completed, failed, canceled, terminated or timed_out."),
    ] = None,
    limit: Annotated[int, typer.Option(help="Most instances to list.", min=1)] = 50,
    run: Annotated[
        str | None, typer.Option(help="With ID: this run, not the latest.", metavar="RUN_ID")
    ] = None,
    api: ApiOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Lists instances, newest first, or shows one with its steps.

    An instance appears in the list about a second after it started.
    """
    from urllib.parse import quote

    from sojourn.cli.api_client import ApiClient, api_url

    if instance and (journey or profile or status):
        raise typer.BadParameter("--journey, --profile and --status are for the list", param_hint="ID")
    with ApiClient(api_url(api), key) as client:
        if instance:
            answer = client.get(f"/v1/instances/{quote(instance, safe='')}", run_id=run)
        else:
            answer = _list(client, limit, journey=journey, profile=profile, status=status)
    if as_json:
        show_json(answer)
    elif instance:
        _show_instance(answer)
    else:
        _show_instances(answer)


PAGE_SIZE = 500


def _list(client: Any, limit: int, **filters: str | None) -> dict[str, Any]:
    """Read as many instances as wanted, page by page."""
    found: list[dict[str, Any]] = []
    page: str | None = None
    while len(found) < limit:
        answer = client.get("/v1/instances", limit=min(PAGE_SIZE, limit - len(found)), page=page, **filters)
        found += answer["instances"]
        page = answer.get("next_page")
        if not page:
            break
    return {"instances": found, "next_page": page}


def _show_instances(answer: dict[str, Any]) -> None:
    from sojourn.cli.tables import moment, table

    if not answer["instances"]:
        say("No instances.")
        return
    columns = ("Instance", "Version#", "Status", "Step", "Entered (UTC)", "Ended (UTC)")
    rows = [
        (
            item["workflow_id"],
            item["version"],
            item["status"],
            item["step"],
            moment(item["entered_at"]),
            moment(item["ended_at"]),
        )
        for item in answer["instances"]
    ]
    out().print(table(columns, rows))
    if answer["next_page"]:
        warn(f"These are the newest {len(rows):,}; --limit shows more.")


def _show_instance(found: dict[str, Any]) -> None:
    from sojourn.cli.tables import moment, table

    say(f"{found['workflow_id']}   journey {found['journey']} version {found['version']}")
    if str(found["workflow_id"]) != _plain_id(found):
        say(f"profile {found['profile']}")  # its id has a hash of it
    if found.get("per") is not None:
        say(f"second key {found['per']}")
    say(standing(found))
    say(
        f"entered {moment(found['entered_at'])}"
        + (f", ended {moment(found['ended_at'])} (UTC)" if found["ended_at"] else " (UTC)")
    )
    for problem in filter(None, (found.get("error"), found.get("last_error"))):
        say(": ".join(str(problem[key]) for key in ("step", "code", "message") if problem.get(key)))
        break
    if found["steps"] is None and found["outcome"] is None and found.get("error"):
        say(
            "Its steps are not known: its code fails, and is tried again until it is mended. The log of the worker "
            "says where."
        )
        return
    if found["steps"] is None:
        say("Its steps are not known: no worker answers. Start one with `sojourn worker`.")
        return
    if not found["steps"]:
        return
    columns = ("No#", "At (UTC)", "Step", "Kind", "Result", "Next", "Seconds#")
    rows = [
        (
            step["seq"],
            moment(step["at"]),
            step["step"] + (f" ({step['visit']})" if step["visit"] > 1 else ""),
            step["kind"],
            step["result"],
            step["next"],
            "" if step["duration"] is None else f"{step['duration']:.1f}",
        )
        for step in found["steps"]
    ]
    out().print(table(columns, rows))


def _plain_id(found: dict[str, Any]) -> str:
    """Return the id that an instance would have if its keys stood in it as they are."""
    plain = f"{found['journey']}:{found['profile']}"
    return plain if found.get("per") is None else f"{plain}={found['per']}"


def standing(found: dict[str, Any]) -> str:
    """Say in one line where an instance stands or how it ended."""
    from sojourn.cli.tables import moment

    if found["outcome"]:
        return f"{found['outcome']}: {found['text']}" if found["text"] else str(found["outcome"])
    line = f"{'paused' if found['paused'] else found['status']}"
    by = {"instance": "by itself", "journey": "with its journey"}
    if reasons := found.get("paused_by"):
        line += " " + " and ".join(by[reason] for reason in reasons)
    if found["step"]:
        line += f" at {found['step']}"
    if found["waiting_for"]:
        line += f", waiting for {' or '.join(found['waiting_for'])}"
    if found["until"]:
        line += f" until {moment(found['until'])}"
    if found["pending"]:
        line += f"; {counted(found['pending'], 'event')} pending"
    if found["dropped"]:
        line += f"; {counted(found['dropped'], 'event')} dropped: more were pending than the journey allows"
    return line
