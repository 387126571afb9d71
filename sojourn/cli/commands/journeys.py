"""`sojourn journeys`: what is published, and what is done with it."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

import typer

from sojourn.cli.commands.options import ApiOption, JsonOption, KeyOption
from sojourn.cli.output import counted, out, say, show_json, warn

app = typer.Typer(help="Lists and steers the published journeys.", no_args_is_help=False)

NameArgument = Annotated[str, typer.Argument(help="The journey's name.", metavar="NAME")]


@app.callback(invoke_without_command=True)
def journeys(
    context: typer.Context, api: ApiOption = None, key: KeyOption = None, as_json: JsonOption = False
) -> None:
    """Lists the published journeys; with a command, shows or steers one of them."""
    if context.invoked_subcommand is not None:
        if api or key or as_json:
            raise typer.BadParameter("options stand behind the command: sojourn journeys show NAME --json")
        return
    from sojourn.cli.api_client import ApiClient, api_url

    with ApiClient(api_url(api), key) as client:
        answer = client.get("/v1/journeys")
    if as_json:
        show_json(answer)
    else:
        _show_journeys(answer["journeys"])


@app.command("show")
def show(
    name: NameArgument, api: ApiOption = None, key: KeyOption = None, as_json: JsonOption = False
) -> None:
    """Shows a journey with its versions, and how many instances run each of them."""
    from sojourn.cli.api_client import ApiClient, ApiRefusedError, api_url

    with ApiClient(api_url(api), key) as client:
        answer = client.get(path(name))
        counts: dict[str, Any] = {"versions": [], "unknown": 0}
        try:
            if answer["versions"]:
                counts = client.get(f"{path(name)}/versions")
        except ApiRefusedError as refused:
            # Temporal is away: what is published can be shown all the same.
            warn(f"{refused}; so it is not known who is inside")
    running = {item["version"]: item["running"] for item in counts["versions"]}
    for item in answer["versions"]:
        item["running"] = running.get(item["version"])
    answer["unknown_version"] = counts["unknown"]
    if as_json:
        show_json(answer)
    else:
        _show_journey(answer)


def path(name: str) -> str:
    """Return the path of a journey in the API."""
    return f"/v1/journeys/{quote(name, safe='')}"


def _show_journeys(found: list[dict[str, Any]]) -> None:
    from sojourn.cli.tables import moment, table

    if not found:
        say("No journey is published yet: `sojourn publish PROJECT` does that.")
        return
    columns = ("Journey", "Version#", "State", "Enters on", "Published (UTC)", "Description")
    rows = [
        (
            item["name"],
            item["version"],
            item["state"]
            + (f", draft {item['draft']}" if item["draft"] and item["state"] != "draft" else ""),
            item["entry_event"],
            moment(item["published_at"]),
            item["description"],
        )
        for item in found
    ]
    out().print(table(columns, rows))


def _show_journey(found: dict[str, Any]) -> None:
    from sojourn.cli.tables import moment, table

    say(f"{found['name']}: {found['description'] or 'no description'}")
    say(
        f"{found['state']}; enters on {found['entry_event']}; steps: "
        f"{', '.join(found['definition']['steps'])}"
    )
    rows = [
        (item["version"], item["state"], moment(item["published_at"]), item["running"])
        for item in found["versions"]
    ]
    out().print(table(("Version#", "State", "Published (UTC)", "Running#"), rows))
    if found["unknown_version"]:
        say(f"{counted(found['unknown_version'], 'instance')} of versions that are not known")
