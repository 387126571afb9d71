"""`sojourn validate`, `schema` and `publish`: the definitions of a project."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from sojourn.cli.commands.options import ApiOption, JsonOption, KeyOption, ProjectArgument
from sojourn.cli.output import CliError, ExitCode, counted, say, show_json, warn


def validate(project: ProjectArgument = Path(), as_json: JsonOption = False) -> None:
    """Checks a project: every problem at once, with file, line and column.

    Nothing is started or sent. Exit status 1 when there are errors; warnings alone are fine.
    """
    from sojourn.cli.project import describe, load, summary

    checked = load(project)
    problems = [problem.as_dict() for problem in checked.problems]
    if as_json:
        show_json({"ok": checked.ok, "problems": problems})
    else:
        for line in describe(problems):
            say(line)
        found = [
            counted(len(things), what)
            for things, what in (
                (checked.journeys, "journey"),
                (checked.events, "event"),
                (checked.endpoints, "endpoint"),
            )
        ]
        say(f"{summary(problems)} ({', '.join(found)} in {counted(len(checked.files), 'file')})")
    if not checked.ok:
        raise typer.Exit(int(ExitCode.PROBLEMS))


def schema(
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File to write; standard output if left out.", metavar="FILE"),
    ] = None,
) -> None:
    """Prints the JSON Schema of the files of a project, for editors.

    `sojourn init` and `sojourn dev` write it to .sojourn/schema.json of the project; a first line
    `# yaml-language-server: $schema=.sojourn/schema.json` in a file makes editors complete and check
    it.
    """
    from sojourn.definitions import json_schema

    text = json.dumps(json_schema(), indent=2, ensure_ascii=False)
    if output is None:
        say(text)
        return
    try:
        output.write_text(text + "\n", "utf-8")
    except OSError as error:
        raise CliError(f"{output} cannot be written: {error.strerror}", ExitCode.USAGE) from error


def publish(
    project: ProjectArgument = Path(),
    draft: Annotated[
        bool,
        typer.Option(
            "--draft",
            help="Save the journeys as drafts, which nobody enters; `sojourn journeys publish NAME` makes one live.",
        ),
    ] = False,
    api: ApiOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Publishes a project: what changed becomes a new version, which new entries get.

    Instances keep the version that they entered. Nothing is published when there are errors (exit status 1). A new
    version makes a closed or stopped journey live again; a paused one stays paused.
    """
    from sojourn.cli.api_client import ApiClient, api_url
    from sojourn.cli.project import summary
    from sojourn.cli.publishing import publish as publish_project

    with ApiClient(api_url(api, project), key) as client:
        outcome = publish_project(client, project, draft=draft)
    if as_json:
        show_json(dict(outcome.answer) if outcome.ok else {"ok": False, "problems": outcome.problems})
    else:
        for line in outcome.lines():
            (say if outcome.ok else warn)(line)
    if not outcome.ok:
        raise CliError(f"not published: {summary(outcome.problems)}")
