"""Whether an event is what its definition says, and whose it is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

import jsonschema_rs

from sojourn import expressions
from sojourn.contract.event_result import EventResult, IncomingEvent, Violation
from sojourn.contract.json_values import deeper_than
from sojourn.contract.profile_keys import MAX_KEY, key_text

if TYPE_CHECKING:
    from sojourn.expressions import Expression

MAX_DATA = 128 * 1024
"""Most bytes of JSON in the data of an event that concerns a journey. An instance keeps several events, and all that it
knows has to fit into one payload of Temporal's (`sojourn.workflows.engine.limits`)."""

MAX_DEPTH = 100
"""Most objects and lists inside each other in the data of such an event. Instances take 128 levels."""

MOST_VIOLATIONS = 20
"""Most violations of a schema that an answer lists."""


class UnusableDefinition(Exception):
    """A stored definition that this version of Sojourn cannot work with."""


@dataclass(frozen=True, slots=True)
class EventCheck:
    """An event definition, ready to be applied.

    Attributes:
        name: The event's name.
        key: Yields the profile key.
        when: The rule, if there is one.
        validator: The compiled schema, if there is one.
    """

    name: str
    key: Expression
    when: Expression | None
    validator: Any

    @classmethod
    def of(cls, definition: dict[str, Any]) -> EventCheck:
        """Make a check from a stored event definition.

        Raises:
            UnusableDefinition: An expression or the schema does not compile here.
        """
        name, rule, schema = definition["name"], definition.get("when"), definition.get("schema")
        try:
            return cls(
                name,
                expressions.compile(definition["key"]),
                None if rule is None else expressions.compile(rule),
                # Nothing is ever fetched: a remote reference is an error.
                None
                if schema is None
                else jsonschema_rs.validator_for(
                    schema, offline=True, validate_formats=True, mask="the value"
                ),
            )
        except ValueError as error:
            raise UnusableDefinition(
                f"the definition of the event {name!r} cannot be used here: {error}"
            ) from error

    def apply(self, event: IncomingEvent) -> str | EventResult:
        """Return the profile key of an event, or the refusal of one that is not what it should be."""
        return self.refusal(event) or self._key(event, {"event": event.data})

    def refusal(self, event: IncomingEvent) -> EventResult | None:
        """Return the refusal of an event that breaks its schema or its rule, whosever it is."""
        violations = self._violations(event.data)
        if violations:
            message = f"the data does not fit the schema of {self.name!r}: {_first(violations)}"
            return EventResult.refused(event, "invalid", message, violations)
        variables = {"event": event.data}
        if self.when is not None:
            try:
                holds = self.when.evaluate(variables)
            except expressions.EvaluationError as error:
                return EventResult.refused(
                    event, "rule_false", f"the rule of {self.name!r} has no answer: {error}"
                )
            if holds is not True:
                return EventResult.refused(event, "rule_false", f"the rule of {self.name!r} does not hold")
        return None

    def _violations(self, data: Any) -> list[Violation]:
        if self.validator is None:
            return [] if isinstance(data, dict) else [Violation("", "the data is not an object")]
        try:
            if self.validator.is_valid(data):
                return []
            errors = islice(self.validator.iter_errors(data), MOST_VIOLATIONS)
            return [Violation(_pointer(error.instance_path), error.message) for error in errors]
        except ValueError as error:
            # What the validator cannot even read, such as data nested thousands of levels deep.
            return [Violation("", f"the data cannot be checked: {error}")]

    def _key(self, event: IncomingEvent, variables: dict[str, Any]) -> str | EventResult:
        where = f"the key of {self.name!r}, {self.key.source!r},"
        try:
            value = self.key.evaluate(variables)
        except expressions.EvaluationError as error:
            return EventResult.refused(event, "no_key", f"{where} has no value: {error}")
        key = key_text(value)
        if key is None:
            what = "is empty" if value is None or isinstance(value, str) else f"is {_kind(value)}"
            return EventResult.refused(event, "no_key", f"{where} {what}; it must be a text or a number")
        if len(key) > MAX_KEY:
            what = f"has {len(key):,} characters; a profile key has at most {MAX_KEY:,}"
            return EventResult.refused(event, "no_key", f"{where} {what}")
        return key


def unfit(data: Any) -> str | None:
    """Return why no instance could keep an event's data, or None where one can.

    Args:
        data: The data, as JSON was read.
    """
    if deeper_than(data, MAX_DEPTH):
        return f"the data is nested more than {MAX_DEPTH} levels deep: send it flatter"
    size = len(json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"))
    if size > MAX_DATA:
        return (
            f"the data takes {size // 1024} kB and at most {MAX_DATA // 1024} kB are taken: "
            "send what the journey needs, and a reference to the rest"
        )
    return None


def _pointer(path: list[str | int]) -> str:
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def _first(violations: list[Violation]) -> str:
    first = violations[0]
    more = f" (and {len(violations) - 1} more)" if len(violations) > 1 else ""
    where = f"{first.path}: " if first.path else ""
    return f"{where}{first.message}{more}"


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, datetime | timedelta):
        return "a time"
    return "something else"
