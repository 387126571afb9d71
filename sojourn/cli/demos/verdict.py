"""What a demo found, beside what the events demand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: a number that was expected and the one that was found."""

    what: str
    expected: int
    found: int


@dataclass(slots=True)
class Verdict:
    """The result of a comparison.

    Attributes:
        tables: Rows to show, by title.
        problems: Each disagreement, as a sentence. None: all agrees.
        remarks: What is good to know and no disagreement.
    """

    tables: dict[str, list[Row]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        """Whether everything is as the events demand."""
        return not self.problems

    def compare(self, title: str, expected: Mapping[str, int], found: Mapping[str, int]) -> None:
        """Add a table, and a problem for each number that differs.

        Args:
            title: What the table counts.
            expected: Numbers by name; their order is that of the rows.
            found: Numbers by name; one that is not expected at all is a row too.
        """
        names = [*expected, *(name for name in found if name not in expected)]
        rows = [Row(name, expected.get(name, 0), found.get(name, 0)) for name in names]
        self.tables[title] = rows
        self.problems += [
            f"{title}, {row.what}: {row.expected:,} expected, {row.found:,} found"
            for row in rows
            if row.expected != row.found
        ]
