"""Durations: lengths of time, in hours, minutes and seconds of the same length everywhere."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from datetime import timedelta

from sojourn.expressions import times
from sojourn.expressions.errors import EvaluationError
from sojourn.expressions.functions.registry import function

_function = functools.partial(function, group="Durations", method=False)


def _of(count: float, **unit: int) -> timedelta:
    """Return so many units of time."""
    if not math.isfinite(count):
        raise EvaluationError("a duration cannot be infinite")
    try:
        return times.limit_duration(timedelta(**unit) * count)
    except OverflowError:
        raise EvaluationError("the duration is longer than 292 years") from None


def _register(name: str, example: str, **unit: int) -> Callable[[float], timedelta]:
    """Put the function of one unit into the library."""

    @_function(f"{name}(number) -> duration", f"So many {name}" + (" of 24 hours." if name == "days" else "."),
               (f"{name}(2)", f"duration('{example}')"))  # fmt: skip
    def unit_(count: float) -> timedelta:
        return _of(count, **unit)

    return unit_


days = _register("days", "48h", days=1)
hours = _register("hours", "2h", hours=1)
minutes = _register("minutes", "2m", minutes=1)
seconds = _register("seconds", "2s", seconds=1)
millis = _register("millis", "2ms", milliseconds=1)
