"""Steps `time_condition`: branch on the hour, the weekday or the date."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from sojourn.definitions.base import Model
from sojourn.definitions.codes import Code
from sojourn.definitions.dates import parse_date
from sojourn.definitions.documents.validate import Source
from sojourn.definitions.problems import Path
from sojourn.definitions.steps.context import StepContext
from sojourn.definitions.steps.exits import Exit, on_error, otherwise
from sojourn.definitions.steps.kind import Step
from sojourn.definitions.steps.values import Day, Hours, Target


class DateRange(Model):
    """From the start of one day to the end of another."""

    from_: str | None = Field(None, alias="from")
    to: str | None = None


class TimeWindow(Model):
    """When a `time_condition` is true: all that are given must hold."""

    hours: Hours | None = Field(
        None, description="From one time of day to another, such as 09:00-18:00, or a list of such"
    )
    days: list[Day] | None = Field(None, min_length=1)
    dates: DateRange | None = None


class TimeConditionStep(Step):
    """Branches on the hour, the weekday or the date."""

    kind: ClassVar[str] = "time_condition"

    time_condition: TimeWindow
    else_: Target | None = Field(
        None, alias="else", description="Where to go at another time; left out: the end"
    )
    on_error: Target | None = None

    def exits(self, following: str | None) -> list[Exit]:
        """Return the ways of `next`, `else` and `on_error`."""
        return [self.onward(following), otherwise(self.else_), *on_error(self.on_error)]

    def check(self, context: StepContext) -> None:
        """Report a condition without a time, and dates that cannot be read or are in the wrong order."""
        window, path = self.time_condition, (*context.path, "time_condition")
        if window.hours is None and window.days is None and window.dates is None:
            hint = "Write {hours: 09:00-18:00}, {days: [mon]} or {dates: {from: ..., to: ...}}."
            context.source.report(Code.MISSING_KEY, path, "The condition says no time", hint, key=True)
        if window.dates is not None:
            _check_dates(window.dates, context.source, (*path, "dates"))

    def compile(self, onward: str | None) -> dict[str, Any]:
        """Return `hours` in minutes of the day, `days`, `from`, `to` and the ways out."""
        window = self.time_condition
        dates = window.dates
        return {
            "on_error": self.on_error,
            "hours": [list(pair) for pair in window.hours] if window.hours else None,
            "days": window.days,
            "from": dates.from_.strip() if dates and dates.from_ else None,
            "to": dates.to.strip() if dates and dates.to else None,
            "next": onward,
            "else": self.else_,
        }


def _check_dates(dates: DateRange, source: Source, path: Path) -> None:
    if dates.from_ is None and dates.to is None:
        hint = "Write {from: 2026-12-01, to: 2026-12-31}, or one of the two."
        source.report(Code.MISSING_KEY, path, "The dates say neither `from` nor `to`", hint)
    found = {}
    for key, text in (("from", dates.from_), ("to", dates.to)):
        if text is not None:
            found[key] = parse_date(text)
            if found[key] is None:
                message = f"`{text[:40]}` is no date"
                source.report(Code.DATE, (*path, key), message, "Write it like 2026-12-31.")
    start, end = found.get("from"), found.get("to")
    if start and end and start > end:
        message, hint = "The last day is before the first", "Exchange the two."
        source.report(Code.DATE, (*path, "to"), message, hint)
