"""`sojourn eval`: tries an expression or a template on data."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sojourn.cli.output import CliError, ExitCode, say, show_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sojourn.expressions import EvaluationError, Expression, ExpressionError

_FILE = "expression"
"""What stands in messages in place of a file."""


def evaluate(
    expression: Annotated[
        str,
        typer.Argument(
            help="The expression, or with --template the text.", metavar="EXPR", show_default=False
        ),
    ],
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            "-d",
            help='JSON or YAML file with the variables by name, such as {"event": {...}}; "-" for standard input.',
            metavar="FILE",
        ),
    ] = None,
    now: Annotated[
        str | None,
        typer.Option(
            "--now", help="The moment that `now` is, in RFC 3339. The present if left out.", metavar="TIME"
        ),
    ] = None,
    template: Annotated[
        bool, typer.Option("--template", "-t", help="EXPR is a text with ${...} in it.")
    ] = False,
) -> None:
    """Tries an expression on data, and prints its value as JSON.

    What is wrong with it is shown as `sojourn validate` shows it, with a caret under the place. Exit status 1 when
    it does not compile or cannot be evaluated.
    """
    from sojourn.expressions import EvaluationError, ExpressionError, compile_template, to_json
    from sojourn.expressions import compile as compile_expression

    variables = _variables(data, now)
    try:
        compiled = compile_template(expression) if template else compile_expression(expression)
    except ExpressionError as error:
        _refuse_syntax(error)
    except ValueError as error:
        raise CliError(str(error)) from None
    try:
        show_json(to_json(compiled.evaluate(variables)))
    except EvaluationError as error:
        inner = compile_expression(error.expression) if error.expression else None
        _refuse(error, inner, variables)


def _variables(file: Path | None, now: str | None) -> dict[str, Any]:
    """Return the variables of a file, and `now`."""
    variables = _read(file) if file is not None else {}
    variables["now"] = _moment(now if now is not None else variables.get("now"))
    return variables


def _moment(text: object) -> Any:
    """Return the moment that a text says, the present for None."""
    from datetime import UTC, datetime

    from sojourn.expressions import EvaluationError
    from sojourn.expressions.times import read_timestamp

    if text is None:
        return datetime.now(UTC)
    try:
        return read_timestamp(str(text))
    except EvaluationError as error:
        raise CliError(f"now: {error.message}", ExitCode.USAGE) from None


def _read(file: Path) -> dict[str, Any]:
    """Return what a JSON or YAML file says. JSON is YAML, but for tabs."""
    import json

    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text("utf-8-sig")
    except OSError as error:
        raise CliError(f"{file} cannot be read: {error.strerror}", ExitCode.USAGE) from None
    except UnicodeDecodeError:
        raise CliError(f"{file} is not UTF-8 text", ExitCode.USAGE) from None
    try:
        value = _yaml(text) if file.suffix in (".yaml", ".yml") else json.loads(text)
    except ValueError as error:
        raise CliError(
            f"{file} is not {file.suffix[1:].upper() or 'JSON'}: {error}", ExitCode.USAGE
        ) from None
    except RecursionError:
        raise CliError(f"{file} is nested too deeply", ExitCode.USAGE) from None
    if not isinstance(value, dict):
        raise CliError(
            f'{file} must hold an object with the variables by name, such as {{"event": ...}}', ExitCode.USAGE
        )
    return {str(name): item for name, item in value.items()}


def _yaml(text: str) -> Any:
    """Read YAML as the files of a project are read."""
    from sojourn.definitions.documents.yaml import read_documents
    from sojourn.definitions.limits import Limits

    documents, problems = read_documents(text, Limits())
    if problems:
        raise ValueError(f"line {problems[0].line}: {problems[0].message}")
    if len(documents) != 1:
        raise ValueError("it must hold one document")
    return documents[0].value


def _refuse_syntax(error: ExpressionError) -> None:
    """Show why an expression does not compile, and end."""
    from sojourn.definitions.codes import Code

    message, _, hint = error.message.partition("; ")
    _show(Code.EXPRESSION.value, error.line, error.column, message, hint, error.caret())
    raise typer.Exit(int(ExitCode.PROBLEMS))


def _refuse(error: EvaluationError, expression: Expression | None, variables: Mapping[str, Any]) -> None:
    """Show why an expression cannot be evaluated, and end: what checking finds in it, or else the error itself."""
    from sojourn.definitions.codes import Code
    from sojourn.expressions import TIMESTAMP, from_value
    from sojourn.expressions.errors import caret

    scope = {name: TIMESTAMP if name == "now" else from_value(value) for name, value in variables.items()}
    findings = expression.check(scope) if expression is not None else []
    for found in findings:
        code = Code.UNKNOWN_NAME if found.unknown else Code.WRONG_TYPE
        mark = caret(error.expression, found.position)
        _show(code.value, found.line, found.column, found.message, found.hint or "", mark)
    if not findings:
        message, _, hint = error.message.partition("; ")
        _show(Code.EXPRESSION.value, error.line, error.column, message, hint, error.caret())
    raise typer.Exit(int(ExitCode.PROBLEMS))


def _show(code: str, line: int, column: int, message: str, hint: str, mark: str) -> None:
    """Print a problem as `sojourn validate` does, and the place under it."""
    from sojourn.cli.project import describe
    from sojourn.definitions.problems import Problem, sentence

    hint = sentence(hint) + ("" if not hint or hint[-1] in ".?!" else ".")
    problem = Problem(code, "error", _FILE, line, column, "", sentence(message), hint)
    say(*describe([problem.as_dict()]))
    say("\n".join(f"  {text}" for text in mark.split("\n")))
