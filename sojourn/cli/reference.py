"""The page `docs/reference/cli.md`, made from the commands themselves.

python -m sojourn.cli.reference > docs/reference/cli.md
"""

from __future__ import annotations

import inspect
from typing import Any

import typer

from sojourn.cli.main import app
from sojourn.settings import Settings

_HEAD = """\
# Command line

<!-- Made by `python -m sojourn.cli.reference > docs/reference/cli.md`. Do not edit. -->

Every command has `--help`. Results are written to standard output, errors and progress to standard error;
`--json` gives what a program can read. Colours are left out where the output is no terminal and where
`NO_COLOR` is set.

| exit status | meaning |
|---|---|
| 0 | fine; for `sojourn api` and `sojourn worker` also: ended by SIGTERM |
| 1 | problems were found, or what was asked for was refused |
| 2 | the command line, or a variable of the environment, is wrong |
| 3 | something that is needed does not answer: the API, Temporal, the database |
| 70 | a defect of Sojourn: please report it, with what `SOJOURN_DEBUG=1` shows |
| 130 | ended with Ctrl-C |
"""


def markdown() -> str:
    """Return the page."""
    group = typer.main.get_command(app)
    parts = [_HEAD]
    panel = None
    for name, command in _leaves(group, "sojourn"):
        heading = getattr(command, "rich_help_panel", None)
        if isinstance(heading, str) and heading != panel:
            panel = heading
            parts.append(f"## {panel}\n")
        parts.append(_section(name, command))
    parts.append(_settings())
    return "\n".join(parts)


def _settings() -> str:
    """Return the table of environment variables."""
    lines = [
        "## Settings",
        "",
        "`sojourn api`, `sojourn worker` and `sojourn keys` read these variables of the environment. How "
        "to reach",
        "Temporal is set by Temporal's own variables (`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, "
        "`TEMPORAL_API_KEY`,",
        "`TEMPORAL_TLS_...`, `TEMPORAL_PROFILE`). `sojourn dev` sets most of them itself.",
        "",
        "| variable | meaning | default |",
        "|---|---|---|",
    ]
    for name, field in Settings.model_fields.items():
        value = str(field.default).lower() if isinstance(field.default, bool) else field.default
        default = "" if value in {None, ""} else f"`{value}`"
        lines.append(f"| `SOJOURN_{name.upper()}` | {field.description} | {default} |".replace("  ", " "))
    lines += [
        "",
        "The other commands read `SOJOURN_API` (URL of the API) and `SOJOURN_API_KEY`; `sojourn dev` and "
        "`sojourn demo`",
        "read `SOJOURN_TEMPORAL_BINARY` (path of the `temporal` program).",
        "",
    ]
    return "\n".join(lines)


def _leaves(command: Any, name: str) -> list[tuple[str, Any]]:
    """Return the commands that can be run, with their full names."""
    found: list[tuple[str, Any]] = []
    for child in command.commands.values():
        full = f"{name} {child.name}"
        if hasattr(child, "commands"):
            panel = getattr(child, "rich_help_panel", None)
            if child.invoke_without_command:
                found.append((full, child))
            for leaf_name, leaf in _leaves(child, full):
                leaf.rich_help_panel = panel
                found.append((leaf_name, leaf))
        else:
            found.append((full, child))
    return found


def _section(name: str, command: Any) -> str:
    parameters = [parameter for parameter in command.params if not getattr(parameter, "hidden", False)]
    arguments = [parameter for parameter in parameters if parameter.param_type_name == "argument"]
    options = [parameter for parameter in parameters if parameter.param_type_name == "option"]
    usage = [name, *(_argument(argument) for argument in arguments), "[OPTIONS]" if options else ""]
    lines = [
        f"### {name}",
        "",
        inspect.cleandoc(command.help or ""),
        "",
        "```",
        " ".join(usage).strip(),
        "```",
        "",
    ]
    if arguments or options:
        lines += ["| | | default |", "|---|---|---|"]
        lines += [_row(_argument(argument), argument) for argument in arguments]
        lines += [_row(_option(option), option) for option in options]
        lines.append("")
    return "\n".join(lines)


def _argument(argument: Any) -> str:
    shown = argument.metavar or argument.name.upper()
    return shown if argument.required or shown.startswith("[") else f"[{shown}]"


def _option(option: Any) -> str:
    value = "" if option.is_flag else f" {option.metavar or _kind(option)}"
    return ", ".join(option.opts) + value


def _kind(option: Any) -> str:
    annotation = option.type_descriptor.annotation
    return {"int": "N", "float": "N"}.get(getattr(annotation, "__name__", ""), "TEXT")


def _row(shown: str, parameter: Any) -> str:
    described = isinstance(parameter.show_default, str)
    default = parameter.show_default if described else parameter.default
    if not described:
        empty = default is None or default is False or default == []
        default = "" if empty else f"`{getattr(default, 'value', default)}`"
    return f"| `{shown}` | {parameter.help} | {default} |".replace("  ", " ")


if __name__ == "__main__":
    print(markdown(), end="")
