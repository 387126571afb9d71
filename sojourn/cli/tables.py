"""Tables for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """Return a table without lines between its rows.

    Args:
        columns: The headings. One that ends in `#` is aligned to the right, and loses the sign.
        rows: Their values are shown as they are; None as nothing.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    made = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        right = column.endswith("#")
        made.add_column(column.removesuffix("#"), justify="right" if right else "left", overflow="fold")
    for row in rows:
        # Values come from customers: they are text, never markup.
        made.add_row(*(Text("" if value is None else str(value)) for value in row))
    return made


def moment(value: datetime | str | None) -> str:
    """Return a moment as people read it, in UTC: `2026-03-01 10:00:00`."""
    if value is None:
        return ""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return str(value)
    return value.strftime("%Y-%m-%d %H:%M:%S")


def ago(value: str, now: datetime | None = None) -> str:
    """Return how long ago a moment was, as people say it: `5 s ago`, `3 min ago`, `2 h ago`, `4 d ago`.

    Args:
        value: RFC 3339, as the API writes it.
        now: What is compared with; the present if left out.
    """
    seconds = max(0.0, ((now or datetime.now(UTC)) - datetime.fromisoformat(value)).total_seconds())
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return f"{int(seconds)} s ago"
