"""The surroundings of a step, taken from the journey and the project that were read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from sojourn.definitions.checks import scopes
from sojourn.definitions.checks.event_names import check_event
from sojourn.definitions.checks.expressions import Inspect, check_expression, check_template
from sojourn.definitions.checks.scopes import Scope
from sojourn.definitions.documents.contents import ReadEndpoint
from sojourn.definitions.documents.reading import Reading, ReadJourney
from sojourn.definitions.limits import Limits
from sojourn.definitions.problems import Path
from sojourn.expressions import Type


class JourneyStep:
    """A step of a journey that is being checked; a `StepContext`.

    Args:
        journey: The journey.
        step: The step's id.
        reading: All that was read.
    """

    def __init__(self, journey: ReadJourney, step: str, reading: Reading) -> None:
        self.path: Path = ("steps", step)
        self.source = journey.source
        self._head = journey.head
        self._reading = reading

    @property
    def limits(self) -> Limits:
        """What the project may hold."""
        return self._reading.limits

    @property
    def broken(self) -> bool:
        """Whether a file could not be read to its end."""
        return self._reading.broken

    @property
    def lifetime(self) -> float | None:
        """Seconds for which an instance may live."""
        return self._head.timeout if self._head else None

    @property
    def entry_event(self) -> str | None:
        """The event on which profiles enter."""
        return self._head.entry.event if self._head else None

    @property
    def endpoints(self) -> Mapping[str, ReadEndpoint]:
        """The project's endpoints by id."""
        return self._reading.endpoints

    @property
    def journeys(self) -> Collection[str]:
        """The names of the project's journeys."""
        return self._reading.journeys.keys()

    def entry_event_of(self, journey: str) -> str | None:
        """Return the entry event of a journey of the project."""
        found = self._reading.journeys.get(journey)
        return found.head.entry.event if found is not None and found.head is not None else None

    def check_event(self, name: str, path: Path) -> bool:
        """Report an event that is not defined, and return whether it is."""
        return check_event(name, path, self.source, self._reading)

    def event_schema(self, name: str) -> Mapping[str, Any]:
        """Return the JSON Schema of an event's data."""
        read = self._reading.events.get(name)
        schema = read.model.data_schema if read is not None and read.model is not None else None
        return schema if isinstance(schema, Mapping) else {}

    def event_type(self, name: str) -> Type:
        """Return the type of an event's data."""
        return scopes.event_type(name, self._reading)

    def profile(self) -> tuple[Type, Mapping[str, Any] | None]:
        """Return the type and the JSON Schema of the profile."""
        return scopes.profile_type(self._reading), scopes.profile_schema(self._reading)


class StepExpressions(JourneyStep):
    """A step of a journey whose expressions are being checked; an `ExpressionContext`.

    Args:
        journey: The journey.
        step: The step's id.
        reading: All that was read.
        scope: What the journey's expressions may name, without `event`.
        inspector: Returns the inspection of expressions that do, or do not, see an `event`.
    """

    def __init__(
        self,
        journey: ReadJourney,
        step: str,
        reading: Reading,
        scope: Scope,
        inspector: Callable[[bool], Inspect],
    ) -> None:
        super().__init__(journey, step, reading)
        self._scope = scope
        self._inspector = inspector

    def condition(self, when: str, path: Path) -> None:
        """Check a condition."""
        check_expression(when, self.source, path, self._scope, inspect=self._inspector(False))

    def event_condition(self, when: str | None, event: str, path: Path) -> None:
        """Check a condition on an event that arrives."""
        if when is not None:
            scope = {**self._scope, "event": self.event_type(event)}
            check_expression(when, self.source, path, scope, inspect=self._inspector(True))

    def template(self, value: object, path: Path, expected: Type | None = None) -> None:
        """Check a template."""
        check_template(value, self.source, path, self._scope, expected, self._inspector(False))
