"""CEL expressions and templates that a workflow can trust.

Pure, bounded and the same on every replay; standing alone: the package imports nothing else of Sojourn.

    >>> from sojourn.expressions import compile
    >>> compile("event.amount > 100").evaluate({"event": {"amount": 120}})
    True
"""

from __future__ import annotations

from sojourn.expressions.errors import EvaluationError, ExpressionError, Finding, nearest
from sojourn.expressions.expression import Expression, compile  # noqa: A004
from sojourn.expressions.schemas import from_json_schema, from_value
from sojourn.expressions.templates import Template, compile_template
from sojourn.expressions.types import (
    ANY,
    BOOL,
    DOUBLE,
    DURATION,
    INT,
    LIST,
    MAP,
    NULL,
    NUMBER,
    STRING,
    TIMESTAMP,
    Scope,
    Type,
    list_of,
    map_of,
    union,
)
from sojourn.expressions.values import to_json

__all__ = [
    "ANY",
    "BOOL",
    "DOUBLE",
    "DURATION",
    "INT",
    "LIST",
    "MAP",
    "NULL",
    "NUMBER",
    "STRING",
    "TIMESTAMP",
    "EvaluationError",
    "Expression",
    "ExpressionError",
    "Finding",
    "Scope",
    "Template",
    "Type",
    "compile",
    "compile_template",
    "from_json_schema",
    "from_value",
    "list_of",
    "map_of",
    "nearest",
    "to_json",
    "union",
]
