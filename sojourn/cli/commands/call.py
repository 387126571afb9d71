"""`sojourn call`: one test request to an endpoint of the project."""

from __future__ import annotations

import asyncio
import re
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sojourn.cli.commands.options import ApiOption, JsonOption, KeyOption
from sojourn.cli.output import CliError, ExitCode, show_json, warn

if TYPE_CHECKING:
    from sojourn.activities.http.wire import HttpRequest
    from sojourn.cli.call.trial import Trial
    from sojourn.definitions import EndpointDefinition

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def call(
    name: Annotated[
        str, typer.Argument(help="The endpoint's name; source:NAME or action:NAME where both exist.")
    ],
    parameters: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            help="Parameters: key=value, once for each, or all as a JSON object. A value is a text where the "
            "parameter takes one, else JSON.",
            metavar="PARAMETERS",
        ),
    ] = None,
    with_file: Annotated[
        str | None,
        typer.Option(help="File with the parameters as a JSON object; - is standard input.", metavar="FILE"),
    ] = None,
    project: Annotated[
        Path, typer.Option(help="Folder of the journey project.", show_default="this folder", metavar="DIR")
    ] = Path(),
    published: Annotated[
        bool, typer.Option("--published", help="Call the endpoint as it is published, not as the files say.")
    ] = False,
    source: Annotated[bool, typer.Option("--source", help="NAME is a source.")] = False,
    action: Annotated[bool, typer.Option("--action", help="NAME is an action.")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask before an action, which has an effect.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the request and send nothing.")] = False,
    idempotency_key: Annotated[
        str | None,
        typer.Option(help="The Idempotency-Key of an action; a new one if left out.", metavar="TEXT"),
    ] = None,
    timeout: Annotated[
        float, typer.Option(help="Seconds that the call may take.", min=0.1, max=300, metavar="SECONDS")
    ] = 30.0,
    api: ApiOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Makes one request to an endpoint, and shows request, answer and what a journey would get of it.

    The request is made from here, with the secrets of the environment and of the project's .env, and to this machine as
    well, as `sojourn dev` does it. It is one attempt, without cap, throttle and cache. Secrets are shown as `***`.

    Exit status 1: the call failed, 3: nothing answered, 2: a parameter is wrong.
    """
    from sojourn.cli.call.choice import chosen, published_endpoint
    from sojourn.cli.call.parameters import check_parameters, read_parameters
    from sojourn.cli.project import require_folder

    if source and action:
        raise typer.BadParameter("give one of --source and --action", param_hint="--action")
    kind = "source" if source else "action" if action else None
    require_folder(project)
    definition = (
        published_endpoint(name, kind, api, project, key) if published else chosen(name, kind, project)
    )
    given = read_parameters(definition, parameters or [], with_file)
    check_parameters(definition, given)
    made_key = _idempotency_key(definition, idempotency_key)
    code = asyncio.run(_run(definition, given, made_key, project, timeout, yes, dry_run, as_json))
    if code != ExitCode.OK:
        raise typer.Exit(int(code))


def _idempotency_key(definition: EndpointDefinition, given: str | None) -> str | None:
    if definition.kind == "source":
        if given is not None:
            raise CliError("only actions have an --idempotency-key: a source has no effect", ExitCode.USAGE)
        return None
    if given is not None and not _KEY.fullmatch(given):
        raise CliError("--idempotency-key takes 1 to 255 ASCII characters without spaces", ExitCode.USAGE)
    return given or secrets.token_hex(32)


async def _run(
    definition: EndpointDefinition,
    given: dict[str, Any],
    key: str | None,
    project: Path,
    timeout: float,  # noqa: ASYNC109 - the option, and the window of the call
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> ExitCode:
    from sojourn.activities import CallError
    from sojourn.cli.call import report as report
    from sojourn.cli.call.choice import caller

    shown: HttpRequest | None = None
    trial: Trial | None = None
    async with caller(definition, project) as endpoint:
        try:
            shown = await endpoint.preview(given, key)
        except CallError as error:
            trial = report.refused(error)
        if not as_json:
            report.show_request(definition, shown, given)
        if trial is None and not dry_run:
            if definition.kind == "action" and not yes:
                _ask(definition)
            trial = await endpoint.make(given, key, timeout)
    if as_json:
        show_json(report.as_json(definition, shown, given, trial))
    elif trial is not None:
        report.show(definition, trial)
    else:
        warn("Nothing was sent (--dry-run).")
    return report.exit_code(trial)


def _ask(definition: EndpointDefinition) -> None:
    """Ask whether to have an effect in the world.

    Raises:
        CliError: The answer is not yes, or there is nobody to ask.
    """
    if not sys.stdin.isatty():
        raise CliError(
            f"{definition.name} is an action, so the request has an effect, and there is no terminal to ask at: write "
            "--yes to send it, or --dry-run to see it only",
            ExitCode.USAGE,
        )
    where = definition.python or definition.url
    sys.stderr.write(f"This has an effect at {where.split('?')[0]}. Send it? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise CliError("nothing was sent")
