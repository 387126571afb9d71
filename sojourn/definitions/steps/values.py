"""Values that several kinds of steps have: spans of time, times of day, days, templates."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from sojourn.definitions.codes import Code, problem
from sojourn.definitions.dates import parse_clock, parse_hours
from sojourn.definitions.durations import parse_duration
from sojourn.expressions import DURATION, NUMBER, STRING, TIMESTAMP, union

Target = Annotated[str, Field(description="Id of the step that comes next")]
Templates = dict[str, Any]

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

SPAN = union(DURATION, NUMBER)
"""Type that a template used as a duration must yield; a number is seconds."""

MOMENT = union(TIMESTAMP, STRING)
"""Type that a template used as a moment must yield; a text is RFC 3339."""


def _span(value: Any) -> Any:
    """Read a positive duration, or a template that yields one."""
    if isinstance(value, str) and "${" not in value:
        try:
            seconds = parse_duration(value)
        except ValueError as error:
            message, _, hint = str(error).partition("; ")
            raise problem(
                Code.DURATION,
                message[0].upper() + message[1:],
                (hint[:1].upper() + hint[1:] if hint else "Write a duration such as 1h30m")
                + ', or "${...}" with an expression that yields a duration.',
            ) from None
        if seconds <= 0:
            raise problem(
                Code.DURATION, "The duration must be longer than nothing", "Write a longer one, such as 1s."
            )
        return seconds
    if isinstance(value, str):
        return value
    raise problem(
        Code.DURATION,
        f"The duration {value} has no unit" if isinstance(value, int | float) else "This is not a duration",
        "Write a number and a unit, such as 30s, 1h30m or 1d.",
    )


Span = Annotated[
    float | str,
    BeforeValidator(_span),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^([0-9]+(\.[0-9]+)?(ms|[smhdw]))+$|\$\{",
            "description": 'A duration such as 1h30m, or "${...}" that yields one',
        }
    ),
]
"""Seconds, or the text of a template that yields a duration."""


def _clock(value: Any) -> Any:
    if isinstance(value, str) and parse_clock(value):
        return value.strip()
    shown = f"`{value[:40]}`" if isinstance(value, str) else "This"
    raise problem(Code.DATE, f"{shown} is no time of day", 'Write it like "09:00".')


Clock = Annotated[
    str,
    BeforeValidator(_clock),
    WithJsonSchema({"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}),
]
"""A time of day such as `09:00`."""


def _hours(value: Any) -> Any:
    """Read ranges of hours; one may stand alone."""
    ranges = value if isinstance(value, list) else [value]
    if not ranges or not all(isinstance(item, str) for item in ranges):
        hint = 'Write one like "09:00-18:00", or a list of them.'
        raise problem(Code.DATE, "This is no range of hours", hint)
    try:
        return [parse_hours(item) for item in ranges]
    except ValueError as error:
        message, _, hint = str(error).partition("; ")
        raise problem(Code.DATE, message, f"{hint[:1].upper()}{hint[1:]}.") from None


_HOURS_SCHEMA = {"type": "string", "pattern": "^[0-9]{2}:[0-9]{2} *- *[0-9]{2}:[0-9]{2}$"}
Hours = Annotated[
    list[tuple[int, int]],
    BeforeValidator(_hours),
    WithJsonSchema({"anyOf": [_HOURS_SCHEMA, {"type": "array", "items": _HOURS_SCHEMA, "minItems": 1}]}),
]
"""Ranges of hours, as pairs of minutes of the day; written like `09:00-18:00`, or as a list of such."""
