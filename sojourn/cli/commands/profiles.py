"""`sojourn profiles`: importing, showing, changing and erasing the built-in profiles."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sojourn.cli.commands.options import ApiOption, JsonOption, KeyOption
from sojourn.cli.output import CliError, ExitCode, counted, say, show_json, warn

if TYPE_CHECKING:
    from sojourn.cli.api_client import ApiClient
    from sojourn.cli.profile.importing import ImportTally
    from sojourn.cli.profile.reading import Counted, Found

SHOWN = 10
"""Lines that were not taken which are shown one by one to a person."""

app = typer.Typer(
    help="Profiles: what is known of each customer, as the built-in data source of journeys.",
    no_args_is_help=True,
)
ProfileKey = Annotated[str, typer.Argument(help="The profile key.", metavar="PROFILE")]


@app.command("import")
def import_profiles(
    file: Annotated[
        str,
        typer.Argument(
            help="JSON lines, or CSV with the names of the columns in its first line. - is standard input.",
            metavar="FILE",
        ),
    ],
    key_field: Annotated[
        str | None,
        typer.Option(
            help="The column or member that is the profile key; all others are attributes. Without it each line of "
            'JSON is {"key": …, "attributes": {…}}; with CSV it must be given.',
            metavar="FIELD",
        ),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace all attributes of each profile, instead of merging.")
    ] = False,
    form: Annotated[
        str | None,
        typer.Option("--format", help="csv or jsonl. By the file's name if left out: .csv is CSV."),
    ] = None,
    types: Annotated[
        str | None,
        typer.Option(
            help="CSV: types of columns, such as visits=integer,tags=json: text, integer, number, boolean, json. "
            "Other columns are read as the published schema of profiles says, and as text where it says nothing.",
            metavar="COLUMN=TYPE,…",
        ),
    ] = None,
    infer: Annotated[
        bool,
        typer.Option(
            "--infer",
            help="CSV: in columns without a type, read numbers, true, false, lists and objects as such.",
        ),
    ] = False,
    delimiter: Annotated[str, typer.Option(help="CSV: what stands between cells. \\t is a tab.")] = ",",
    batch: Annotated[int, typer.Option(help="Profiles in one request.", min=1, max=1000)] = 1000,
    patience: Annotated[
        float, typer.Option(help="Seconds to keep trying while the API or its database is away.", min=0)
    ] = 60.0,
    api: ApiOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Writes the profiles of a file.

    Attributes are merged into those that a profile has already (null removes one, in JSON lines). Empty cells of CSV
    are left out: they change nothing. Lines that are wrong are named, and all others are written.

    Importing the same file again is harmless: what is there already stays `unchanged`. So after Ctrl-C or a failure,
    start again from the beginning.

    Exit status 1: some lines were not taken.
    """
    from sojourn.cli.api_client import ApiClient, api_url
    from sojourn.cli.files import opened, progress
    from sojourn.cli.profile.importing import Importer
    from sojourn.cli.profile.reading import Counted, batches

    with ExitStack() as stack:
        source, total = stack.enter_context(opened(file))
        client = stack.enter_context(ApiClient(api_url(api), key))
        lines = Counted(source)
        if _is_csv(file, form):
            found = _csv(client, lines, key_field, types, infer, delimiter)
        else:
            found = _json_lines(lines, key_field, types, infer)
        advance = stack.enter_context(progress("Importing", file, total))
        importer = Importer(client, replace=replace, patience=patience, notify=warn)
        done = False
        try:
            for each in batches(found, lambda: lines.read, batch):
                importer.send(each)
                advance(each.bytes_read)
            done = True
        finally:
            if not done and importer.tally.answered:
                warn(
                    f"Stopped after {counted(importer.tally.answered, 'profile')}. Import the same file again: what "
                    "was written is unchanged then."
                )
    if as_json:
        show_json(importer.tally.as_dict())
    else:
        _show_tally(importer.tally)
    if not importer.tally.clean:
        raise typer.Exit(int(ExitCode.PROBLEMS))


@app.command("show")
def show(
    profile: ProfileKey, api: ApiOption = None, key: KeyOption = None, as_json: JsonOption = False
) -> None:
    """Shows a profile."""
    from sojourn.cli.tables import moment

    with _client(api, key) as client:
        found = client.get(_path(profile))
    if as_json:
        show_json(found)
        return
    say(f"{found['key']}   version {found['version']}, changed {moment(found['updated_at'])} (UTC)")
    for name, value in found["attributes"].items():
        say(f"  {name}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}")
    if not found["attributes"]:
        say("  It has no attributes.")


@app.command("set")
def set_attributes(
    profile: ProfileKey,
    values: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            help="An attribute as NAME=VALUE, or several as a JSON object. May be given several times. A value is "
            "read as the published schema of profiles says, and as text where it says nothing.",
            metavar="VALUES",
        ),
    ] = None,
    remove: Annotated[
        list[str] | None,
        typer.Option(help="An attribute to remove. May be given several times.", metavar="NAME"),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace all attributes, instead of merging.")
    ] = False,
    api: ApiOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Changes attributes of a profile, or makes it."""
    if not values and not remove and not replace:
        raise typer.BadParameter("give --with NAME=VALUE or --remove NAME", param_hint="--with")
    with _client(api, key) as client:
        attributes = _attributes(client, values or []) | dict.fromkeys(remove or [])
        if replace:
            attributes = {name: value for name, value in attributes.items() if name not in (remove or [])}
        answer = client.post_text(
            _path(profile),
            json.dumps({"attributes": attributes}).encode(),
            method="PUT" if replace else "PATCH",
        )
    if as_json:
        show_json(answer)
    else:
        say(f"{answer['status']}: {answer['key']} (version {answer['version']})")


@app.command("erase")
def erase(
    profile: ProfileKey,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    api: ApiOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Erases a profile from the built-in store. It cannot be brought back.

    Histories of its instances stay in Temporal until their retention is over.
    """
    if not yes:
        typer.confirm(f"Erase the profile {profile}?", abort=True, err=True)
    with _client(api, key) as client:
        answer = client.delete(_path(profile))
    if as_json:
        show_json(answer)
    else:
        say(f"erased: {profile}" if answer["erased"] else f"There was no profile {profile}.")


def _client(api: str | None, key: str | None) -> ApiClient:
    from sojourn.cli.api_client import ApiClient, api_url

    return ApiClient(api_url(api), key)


def _path(profile: str) -> str:
    from urllib.parse import quote

    return f"/v1/profiles/{quote(profile, safe='')}"


def _is_csv(file: str, form: str | None) -> bool:
    if form not in (None, "csv", "jsonl"):
        raise typer.BadParameter("write csv or jsonl", param_hint="--format")
    return form == "csv" if form else Path(file).suffix.lower() == ".csv"


def _csv(
    client: ApiClient, lines: Counted, key_field: str | None, types: str | None, infer: bool, delimiter: str
) -> Found:
    from sojourn.cli.profile.reading import read_csv
    from sojourn.cli.profile.values import by_schema, inferred, read_types

    delimiter = delimiter.replace("\\t", "\t")
    if key_field is None:
        raise typer.BadParameter("CSV needs the column that is the profile key", param_hint="--key-field")
    if len(delimiter) != 1:
        raise typer.BadParameter("must be one character", param_hint="--delimiter")
    readers = read_types(types)
    readers = by_schema(_schema(client)) | readers
    return read_csv(lines, key_field, readers, inferred if infer else str, delimiter)


def _json_lines(lines: Counted, key_field: str | None, types: str | None, infer: bool) -> Found:
    from sojourn.cli.profile.reading import read_json_lines

    if types or infer:
        raise typer.BadParameter("JSON says the types itself; this is for CSV", param_hint="--types, --infer")
    return read_json_lines(lines, key_field)


def _schema(client: ApiClient) -> dict[str, Any] | None:
    schema: dict[str, Any] | None = client.get("/v1/profile-schema")["schema"]
    return schema


def _attributes(client: ApiClient, words: list[str]) -> dict[str, Any]:
    from sojourn.cli.profile.values import by_schema, strict_json

    attributes: dict[str, Any] = {}
    readers = None
    for word in words:
        if word.lstrip().startswith("{"):
            try:
                attributes |= strict_json(word)
            except ValueError as error:
                raise CliError(f"--with is not JSON: {error}", ExitCode.USAGE) from None
            continue
        name, equals, text = word.partition("=")
        if not equals or not name.strip():
            raise CliError(
                f"--with {word[:60]!r} is neither JSON nor NAME=VALUE: write --with plan=gold, or "
                "--with '{\"visits\": 3}'",
                ExitCode.USAGE,
            )
        if readers is None:
            readers = by_schema(_schema(client))
        attributes[name.strip()] = readers.get(name.strip(), str)(text)
    return attributes


def _show_tally(tally: ImportTally) -> None:
    statuses = tally.statuses
    say(
        f"{counted(tally.answered, 'profile')}: {statuses['created']:,} created, {statuses['updated']:,} updated, "
        f"{statuses['unchanged']:,} unchanged, {statuses['refused']:,} refused."
    )
    wrong = tally.wrong()
    for line, message in wrong[:SHOWN]:
        warn(f"line {line}: {message}")
    left = len(tally.bad_lines) + statuses["refused"] - min(SHOWN, len(wrong))
    if left:
        warn(f"... and {left:,} more lines that are wrong (--json lists them)")
