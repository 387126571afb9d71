"""From a decorated function to what journeys know of it: parameters, answer, limits."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from sojourn.definitions.durations import write_duration
from sojourn.definitions.kinds.endpoint import EndpointDefinition
from sojourn.definitions.rate_limits import check_limit
from sojourn.functions.collecting import declare
from sojourn.functions.signatures import Parameter, Place, read_parameters, read_return

Kind = Literal["source", "action"]
ATTRIBUTE = "__sojourn_function__"
"""Where a decorated function keeps its declaration."""


@dataclass(frozen=True)
class Cap:
    """At most `calls` in each `per`, over all workers; calls above that fail as `capped`."""

    calls: int
    per: timedelta


@dataclass(frozen=True)
class Throttle:
    """At most `calls` in each `per`, over all workers; calls above that wait, and fail as `expired` after `expire`."""

    calls: int
    per: timedelta
    expire: timedelta = timedelta(hours=6)


@dataclass(frozen=True)
class Function:
    """A function that is a source or an action.

    Attributes:
        kind: `source` or `action`.
        name: The name that journeys use.
        call: The function itself.
        file: Path of its file.
        line: Its first line there, from 1.
        parameters: Its parameters by name.
        answer: Turns what it returns into JSON.
        definition: What is published of it.
    """

    kind: Kind
    name: str
    call: Callable[..., Any] = field(repr=False)
    file: str
    line: int
    parameters: Mapping[str, Parameter] = field(repr=False)
    answer: TypeAdapter[Any] = field(repr=False)
    definition: EndpointDefinition = field(repr=False)

    @property
    def id(self) -> str:
        """As in `Project.endpoints`: `action:email.send`."""
        return f"{self.kind}:{self.name}"

    @property
    def module(self) -> str:
        """Name of its module."""
        return str(self.call.__module__)

    def document(self) -> dict[str, Any]:
        """Return the document that defines it in a project: plain JSON, durations as text."""
        written = self.definition.dump()
        document = {self.kind: written.pop("name")}
        del written["kind"]
        for key in ("cap", "throttle"):
            if key in written:
                times = {
                    name: write_duration(value) for name, value in written[key].items() if name != "calls"
                }
                written[key] = written[key] | times
        if "cache" in written:
            written["cache"] = write_duration(written["cache"])
        return document | written


def function_of(thing: Any) -> Function | None:
    """Return the declaration of a decorated function; None for anything else."""
    found = getattr(thing, ATTRIBUTE, None)
    return found if isinstance(found, Function) else None


def define(
    function: Callable[..., Any],
    kind: Kind,
    settings: Mapping[str, Any],
    local_names: Mapping[str, Any] | None = None,
) -> Function:
    """Declare a function to be a source or an action.

    Args:
        function: The function.
        kind: Which of both.
        settings: What the decorator was given: `name`, `description`, `cap`, `throttle`, `cache`.
        local_names: Names that annotations may use beside those of the function's module.

    Raises:
        DefinitionError: It cannot be one.
    """
    place = Place.of(function, kind)
    if not inspect.isroutine(function):
        raise place.wrong(
            f"@{kind}.defn stands on something that is no function",
            "Put it on an `async def`, or on a `def`.",
        )
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise place.wrong(
            f"`{place.name}` yields values, and a {kind} gives one answer", "Collect them, and return a list."
        )
    if function_of(function) is not None:
        raise place.wrong(
            f"`{place.name}` is an action or a source already",
            "Write one decorator; for a second name write a second function that calls the first.",
        )
    _check_name(settings["name"], kind, place)
    signature, hints = place.hints(function, dict(local_names or {}))
    parameters = read_parameters(signature, hints, place)
    answer, response = read_return(hints, place)
    definition = _definition(kind, settings, place, parameters, response)
    made = Function(kind, settings["name"], function, place.file, place.line, parameters, answer, definition)
    try:
        setattr(function, ATTRIBUTE, made)
    except AttributeError:
        raise place.wrong(
            f"@{kind}.defn stands on something that is no function of Python's own",
            "Put it on an `async def`, or on a `def`.",
        ) from None
    declare(made)
    return made


def _check_name(name: Any, kind: Kind, place: Place) -> None:
    if not isinstance(name, str):
        raise place.wrong(f"The name of a {kind} must be a text", f'Write @{kind}.defn(name="some.name").')


def _definition(
    kind: Kind,
    settings: Mapping[str, Any],
    place: Place,
    parameters: Mapping[str, Parameter],
    response: dict[str, Any] | None,
) -> EndpointDefinition:
    """Return what is published of a function."""
    data: dict[str, Any] = {
        "kind": kind,
        "name": settings["name"],
        "python": place.reference,
        "description": settings["description"] or place.summary,
        "parameters": {name: parameter.schema for name, parameter in parameters.items()},
        "response": response,
    }
    for key, wanted in (("cap", Cap), ("throttle", Throttle)):
        limit = settings.get(key)
        if limit is not None and not isinstance(limit, wanted):
            hint = f"Write {key}={kind}.{wanted.__name__}(calls=10, per=timedelta(seconds=1))."
            raise place.wrong(f"`{key}` of `{place.name}` is no {wanted.__name__}", hint)
        if isinstance(limit, Cap | Throttle):
            times = {
                name: _seconds(value, key, place) for name, value in vars(limit).items() if name != "calls"
            }
            data[key] = {"calls": limit.calls, **times}
            if (wrong := check_limit(key, data[key])) is not None:
                where = f"{key}.{wrong.field}" if wrong.field else key
                raise place.wrong(f"`{where}` of `{place.name}`: {wrong.message}", wrong.hint)
    if settings.get("cache") is not None:
        data["cache"] = _seconds(settings["cache"], "cache", place)
    try:
        return EndpointDefinition.load({key: value for key, value in data.items() if value is not None})
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        context = detail.get("ctx", {})
        where = ".".join(map(str, detail["loc"])) or kind
        what = str(context.get("message", detail["msg"]))
        raise place.wrong(
            f"`{where}` of `{place.name}`: {what}", str(context.get("hint") or "Change it.")
        ) from None


def _seconds(value: Any, key: str, place: Place) -> float:
    if not isinstance(value, timedelta) or value <= timedelta():
        raise place.wrong(
            f"`{key}` of `{place.name}` needs a time that is longer than nothing",
            "Write timedelta(seconds=1), or another one.",
        )
    return value.total_seconds()
