"""Surroundings of a step: its journey and its project, as the checks of steps see them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Protocol

from sojourn.definitions.documents.contents import ReadEndpoint
from sojourn.definitions.documents.validate import Source
from sojourn.definitions.limits import Limits
from sojourn.definitions.problems import Path
from sojourn.expressions import Type


class StepContext(Protocol):
    """A step's surroundings while its definition is checked."""

    @property
    def path(self) -> Path:
        """The place of the step in its document."""

    @property
    def source(self) -> Source:
        """The journey's document, which takes the reports."""

    @property
    def limits(self) -> Limits:
        """What the project may hold."""

    @property
    def broken(self) -> bool:
        """Whether a file could not be read to its end, so that names may be missing."""

    @property
    def lifetime(self) -> float | None:
        """Seconds for which an instance may live; None if the journey's head is unreadable."""

    @property
    def entry_event(self) -> str | None:
        """The event on which profiles enter; None if the journey's head is unreadable."""

    @property
    def endpoints(self) -> Mapping[str, ReadEndpoint]:
        """The project's endpoints by id, such as `source:crm.customer`."""

    @property
    def journeys(self) -> Collection[str]:
        """The names of the project's journeys."""

    def entry_event_of(self, journey: str) -> str | None:
        """Return the entry event of a journey of the project; None if there is no such journey or it is unreadable."""

    def check_event(self, name: str, path: Path) -> bool:
        """Report an event that is not defined, and return whether it is."""

    def event_schema(self, name: str) -> Mapping[str, Any]:
        """Return the JSON Schema of an event's data; empty if it has no schema."""

    def event_type(self, name: str) -> Type:
        """Return the type of an event's data."""

    def profile(self) -> tuple[Type, Mapping[str, Any] | None]:
        """Return the type of the profile, and its JSON Schema if the project has one."""


class ExpressionContext(StepContext, Protocol):
    """A step's surroundings while its expressions are checked."""

    def condition(self, when: str, path: Path) -> None:
        """Check a condition.

        Args:
            when: The expression.
            path: Its place in the journey's document.
        """

    def event_condition(self, when: str | None, event: str, path: Path) -> None:
        """Check a condition on an event that arrives, whose data it sees as `event`.

        Args:
            when: The expression; None if every such event counts.
            event: The event's name.
            path: The place of the expression in the journey's document.
        """

    def template(self, value: object, path: Path, expected: Type | None = None) -> None:
        """Check a template.

        Args:
            value: The template: JSON with `${...}` in its texts.
            path: Its place in the journey's document.
            expected: The type that it must yield; None if any will do.
        """
