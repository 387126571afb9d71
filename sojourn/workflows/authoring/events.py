"""Events as pydantic models: one class gives the JSON Schema, the routing and the type."""

from __future__ import annotations

import inspect
import re
import sys
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Self

from pydantic import BaseModel, PrivateAttr

from sojourn.definitions import EventDefinition
from sojourn.functions.collecting import declare

_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class EventSpec:
    """The declaration of an event class.

    Attributes:
        name: The event's name.
        key: Expression that gives the profile key from `event`.
        when: The rule; if it is false, an event is not this event.
    """

    name: str
    key: str
    when: str | None


class EventError(TypeError):
    """A mistake in an event class. The message says what to write instead."""


class Event(BaseModel):
    """Base class of events.

        class OrderPlaced(Event, name="order.placed", key="customer_id"):
            customer_id: str
            total: float = 0

    Class arguments:
        name: The event's name. A class without a name is a base for others, not an event.
        key: Which profile it concerns: a field's name, or a CEL expression over `event`, the event's data as it is
            sent.
        when: A CEL rule over `event`; if it is false, the event is not this event.

    The fields are the event's data. An alias is the name in what is sent.

    Raises:
        EventError: When the class is defined, if it breaks a rule.
    """

    __sojourn_event__: ClassVar[EventSpec | None] = None
    __sojourn_document__: ClassVar[EventDocument | None] = None
    _id: str = PrivateAttr("")
    _time: datetime | None = PrivateAttr(None)

    def __init_subclass__(
        cls, *, name: str | None = None, key: str | None = None, when: str | None = None, **kwargs: Any
    ) -> None:
        # For type checkers; pydantic calls the method below, once the fields are known.
        super().__init_subclass__(**kwargs)

    @classmethod
    def __pydantic_init_subclass__(
        cls, *, name: str | None = None, key: str | None = None, when: str | None = None, **kwargs: Any
    ) -> None:
        """Check the declaration."""
        super().__pydantic_init_subclass__(**kwargs)
        if name is None and key is None and when is None:
            cls.__sojourn_event__ = None
            return
        if not name:
            raise EventError(
                f'{cls.__name__} has no name: write class {cls.__name__}(Event, name="order.placed", …)'
            )
        if not key:
            raise EventError(
                f"{cls.__name__} has no key: write class {cls.__name__}(Event, name={name!r}, key=FIELD), where FIELD "
                "is the field that holds the profile key"
            )
        cls.__sojourn_event__ = EventSpec(name, expression_of(cls, key, "key"), when)
        cls.__sojourn_document__ = EventDocument(cls)
        declare(cls.__sojourn_document__)

    @property
    def event_id(self) -> str:
        """The event's id; empty if the event was not received by an instance."""
        return self._id

    @property
    def event_time(self) -> datetime | None:
        """When the event happened, by its sender's clock; None if it was not received by an instance."""
        return self._time

    @classmethod
    def received(cls, event_id: str, time: datetime, data: Any) -> Self:
        """Return an event that an instance received.

        Args:
            event_id: Its id.
            time: When it happened.
            data: Its data.

        Raises:
            pydantic.ValidationError: The data does not fit the fields.
        """
        event = cls.model_validate(data)
        event._id, event._time = event_id, time
        return event


@dataclass(frozen=True, slots=True)
class EventDocument:
    """An event class as what declares itself as a document `event: NAME`.

    Attributes:
        event: The class.
    """

    event: type[Event]

    @property
    def kind(self) -> str:
        """First key of its document."""
        return "event"

    @property
    def name(self) -> str:
        """The event's name."""
        return spec_of(self.event).name

    @property
    def module(self) -> str:
        """Name of its Python module."""
        return self.event.__module__

    @property
    def file(self) -> str:
        """Path of its Python file."""
        return getattr(sys.modules.get(self.event.__module__), "__file__", None) or "?"

    @property
    def line(self) -> int:
        """Its line in that file."""
        try:
            return inspect.getsourcelines(self.event)[1]
        except (OSError, TypeError):
            return 1

    def document(self) -> dict[str, Any]:
        """Return the event as a document of a project, plain JSON."""
        dumped = definition_of(self.event).dump()
        return {"event": dumped.pop("name"), **dumped}


def spec_of(event: type[Event]) -> EventSpec:
    """Return the declaration of an event class.

    Raises:
        EventError: It is not an event class, or a base without a name.
    """
    spec = getattr(event, "__sojourn_event__", None)
    if not isinstance(spec, EventSpec):
        shown = getattr(event, "__name__", repr(event))
        raise EventError(
            f"{shown} is not an event: write class {shown}(Event, name=…, key=…), with Event from sojourn"
        )
    return spec


def definition_of(event: type[Event]) -> EventDefinition:
    """Return an event class as the definition that is published.

    Raises:
        EventError: It breaks a rule; a pydantic model that has no JSON Schema among them.
    """
    spec = spec_of(event)
    try:
        schema = event.model_json_schema(by_alias=True, mode="validation")
    except Exception as error:
        raise EventError(f"{event.__name__} has no JSON Schema: {error}") from error
    document: dict[str, Any] = {"name": spec.name, "key": spec.key, "schema": schema}
    if spec.when is not None:
        document["when"] = spec.when
    description = (event.__doc__ or "").strip().partition("\n")[0]
    if description and event.__doc__ != Event.__doc__:
        document["description"] = description
    return EventDefinition.model_validate(document)


def expression_of(event: type[Event], key: str, argument: str) -> str:
    """Return the expression of a key that an author gave as a field's name, or as an expression already.

    Args:
        event: The class of the event.
        key: What was given.
        argument: What it was given as: `key` or `per`.

    Raises:
        EventError: There is no such field, or one with several aliases.
    """
    if not _FIELD.fullmatch(key):
        return key
    field = event.model_fields.get(key)
    if field is None:
        known = ", ".join(event.model_fields) or "none at all"
        raise EventError(
            f"{event.__name__} has no field {key!r} for its {argument}; its fields are {known}. "
            "A CEL expression over `event` will do as well"
        )
    sent = field.validation_alias or field.alias or key
    if not isinstance(sent, str):
        raise EventError(
            f"the field {key!r} of {event.__name__} has several aliases: write its {argument} as an "
            f'expression, such as {argument}="event.customerId"'
        )
    return f"event.{sent}" if _FIELD.fullmatch(sent) else f'event["{sent}"]'
