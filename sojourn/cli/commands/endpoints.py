"""`sojourn endpoints`: sources and actions as they are published, how often they are called, and what failed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sojourn.cli.commands.options import ApiOption, JsonOption, KeyOption
from sojourn.cli.output import CliError, ExitCode, counted, out, say, show_json

if TYPE_CHECKING:
    from sojourn.cli.api_client import ApiClient

PATH = "/v1/endpoints"
SHOWN_ERRORS = 20
"""Errors that a person is shown of one endpoint; `--json` has all that are kept."""

_RATE = re.compile(r"\s*(\d{1,12})\s*/\s*(\d*(?:\.\d+)?)\s*(ms|[smhd])?(\S*)\s*")

app = typer.Typer(invoke_without_command=True)

NameArgument = Annotated[
    str,
    typer.Argument(help="The endpoint's name; source:NAME or action:NAME where both exist.", metavar="NAME"),
]


@app.callback()
def endpoints(
    context: typer.Context, api: ApiOption = None, key: KeyOption = None, as_json: JsonOption = False
) -> None:
    """Lists the published sources and actions, with the limits in force and the last error of each.

    A limit that an operator set is marked with `*`. Waiting is about how many calls to a throttled action wait for
    their turn; `-` where that is not known.
    """
    if context.invoked_subcommand is not None:
        if api or key or as_json:
            raise typer.BadParameter(
                f"write it after {context.invoked_subcommand}", param_hint="--api, --key, --json"
            )
        return
    with _client(api, key) as client:
        answer = client.get(PATH)
    if as_json:
        show_json(answer)
    else:
        _show_list(answer["endpoints"])


@app.command("show")
def show(
    name: NameArgument, api: ApiOption = None, key: KeyOption = None, as_json: JsonOption = False
) -> None:
    """Shows all of one endpoint, with the last calls that failed.

    Of secrets, only the names. Each failed attempt of a call stands for itself, also where the next one succeeded.
    """
    with _client(api, key) as client:
        found = client.get(_path(client, name))
    if as_json:
        show_json(found)
    else:
        _show_one(found)


@app.command("set")
def set_limits(
    name: NameArgument,
    throttle: Annotated[
        str | None,
        typer.Option(
            help="Most calls of an action in a time; those above it wait: 100/s, 5/10s, 1000/h.",
            metavar="RATE",
        ),
    ] = None,
    expire: Annotated[
        str | None,
        typer.Option(
            help="With --throttle: how long a call waits before it is dropped, such as 1h.",
            metavar="DURATION",
        ),
    ] = None,
    cap: Annotated[
        str | None,
        typer.Option(help="Most calls in a time; those above it are not made: 15/s.", metavar="RATE"),
    ] = None,
    api: ApiOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Sets limits in place of those that were published, over all workers together.

    Running workers keep to them within a second or so. They stay in force, also when the endpoint is published again,
    until `sojourn endpoints reset`.
    """
    if throttle is None and cap is None:
        raise CliError("give a limit to set: --throttle 100/s or --cap 15/s", ExitCode.USAGE)
    if expire is not None and throttle is None:
        raise CliError("--expire belongs to --throttle", ExitCode.USAGE)
    body: dict[str, Any] = {}
    if throttle is not None:
        body["throttle"] = _rate("--throttle", throttle) | ({"expire": expire} if expire else {})
    if cap is not None:
        body["cap"] = _rate("--cap", cap)
    with _client(api, key) as client:
        found = client.put(f"{_path(client, name)}/limits", body)
    _tell(found, as_json)


@app.command("reset")
def reset_limits(
    name: NameArgument,
    throttle: Annotated[bool, typer.Option("--throttle", help="Only the throttle.")] = False,
    cap: Annotated[bool, typer.Option("--cap", help="Only the cap.")] = False,
    api: ApiOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Puts limits back to what was published; both if neither is named."""
    which = [limit for limit, wanted in (("throttle", throttle), ("cap", cap)) if wanted]
    with _client(api, key) as client:
        found = client.delete(f"{_path(client, name)}/limits", limit=which or None)
    _tell(found, as_json)


def _client(api: str | None, key: str | None) -> ApiClient:
    from sojourn.cli.api_client import ApiClient, api_url

    return ApiClient(api_url(api), key)


def _path(client: ApiClient, name: str) -> str:
    """Return the path of the endpoint that a name means.

    Raises:
        CliError: There is none, or a source and an action have this name.
    """
    from sojourn.cli.call.selection import only

    known = [f"{item['kind']}:{item['name']}" for item in client.get(PATH)["endpoints"]]
    kind, _, plain = only(name, None, known, "what is published").partition(":")
    return f"{PATH}/{kind}/{plain}"


def _rate(option: str, text: str) -> dict[str, Any]:
    """Return a limit for `100/s`, `5/10s` or `1000/1h`."""
    match = _RATE.fullmatch(text)
    if match is None or match[4] or not (match[2] or match[3]):
        raise CliError(
            f"{option} {text[:40]!r} is no rate: write calls and time, such as 100/s, 5/10s or 1000/h",
            ExitCode.USAGE,
        )
    return {"calls": int(match[1]), "per": f"{match[2] or 1}{match[3] or 's'}"}


def _tell(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        show_json(found)
        return
    for limit in ("throttle", "cap"):
        if found[limit] or found["published"][limit]:
            say(f"{limit}: {_limit(found[limit], mark=False)} ({_origin(found, limit)})")
    if not any(found[limit] for limit in ("throttle", "cap")):
        say(f"{found['name']} has no limits.")


def _origin(found: dict[str, Any], limit: str) -> str:
    published = found["published"][limit]
    if found[limit]["set_by"] != "operator":
        return "as published"
    return f"set by an operator; published: {_limit(published, mark=False) or 'none'}"


def _limit(limit: dict[str, Any] | None, *, mark: bool = True) -> str:
    if limit is None:
        return ""
    per = limit["per"].removeprefix("1") if limit["per"] in {"1s", "1m", "1h", "1d"} else limit["per"]
    waits = f", {limit['expire']}" if limit.get("expire") else ""
    by_operator = mark and limit.get("set_by") == "operator"
    return f"{limit['calls']:,}/{per}{waits}{' *' if by_operator else ''}"


def _target(item: dict[str, Any]) -> str:
    return item["python"] or f"{item['method']} {item['host']}"


def _show_list(found: list[dict[str, Any]]) -> None:
    from sojourn.cli.tables import ago, table

    if not found:
        say("No endpoint is published yet: `sojourn publish PROJECT` does that.")
        return
    columns = ("Kind", "Name", "Calls", "Cap", "Throttle, expires", "Waiting#", "Last error")
    rows = []
    for item in found:
        error = item["last_error"]
        unknown = "-" if item["throttle"] else ""
        rows.append(
            (
                item["kind"],
                item["name"],
                _target(item),
                _limit(item["cap"]),
                _limit(item["throttle"]),
                unknown if item["waiting"] is None else f"{item['waiting']:,}",
                f"{error['code']}, {ago(error['at'])}" if error else "",
            )
        )
    out().print(table(columns, rows))
    if any(
        (item[limit] or {}).get("set_by") == "operator" for item in found for limit in ("cap", "throttle")
    ):
        say("* set by an operator; `sojourn endpoints reset NAME` puts it back")


def _show_one(found: dict[str, Any]) -> None:
    from sojourn.cli.tables import moment, table

    definition = found["definition"]
    say(f"{found['kind']} {found['name']}: {found['description'] or 'no description'}")
    say(f"  {found['python'] or definition['method'] + ' ' + definition['url']}")
    for title, value in _facts(found):
        if value:
            say(f"  {title:<12}{value}")
    if not found["errors"]:
        say("No call to it has failed.")
        return
    columns = ("At (UTC)", "Code", "Status#", "Message", "Journey", "Step", "Attempt#")
    rows = [
        (
            moment(error["at"]),
            error["code"],
            error["status"],
            error["message"],
            error["journey"],
            error["step"],
            f"{error['attempt']}{', last' if error['final'] else ''}",
        )
        for error in found["errors"][:SHOWN_ERRORS]
    ]
    out().print(table(columns, rows))
    if len(found["errors"]) > SHOWN_ERRORS:
        say(f"... and {len(found['errors']) - SHOWN_ERRORS} older ones (--json shows them)")


def _facts(found: dict[str, Any]) -> list[tuple[str, str]]:
    definition = found["definition"]
    needed = [
        name
        for name, schema in (definition.get("parameters") or {}).items()
        if "default" not in schema and not schema.get("optional")
    ]
    optional = [name for name in definition.get("parameters") or {} if name not in needed]
    names = ", ".join([*needed, *(f"[{name}]" for name in optional)])
    limits = [
        (limit, f"{_limit(found[limit], mark=False)} ({_origin(found, limit)})" if found[limit] else "")
        for limit in ("cap", "throttle")
    ]
    waiting = "not known" if found["waiting"] is None else counted(found["waiting"], "call")
    return [
        ("parameters", names),
        ("auth", str((definition.get("auth") or {}).get("type", ""))),
        ("secrets", ", ".join(found["secrets"])),
        *limits,
        ("waiting", f"about {waiting}" if found["throttle"] and found["waiting"] is not None else ""),
        ("cache", f"{definition['cache']:g} s" if definition.get("cache") else ""),
        ("journeys", ", ".join(found["journeys"])),
    ]
