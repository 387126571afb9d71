"""The events and endpoints that a journey's code names, found by reading it.

Routing must know which events a journey waits for before an instance waits for one. So the code is searched: the class,
and the author's own functions and classes that it uses. What is not found this way, such as an event class that is
looked up in a mapping, must be given to `journey.defn` as `listens`; `wait_for` says so if one is missing.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any, Generic, TypeVar

from sojourn.workflows.authoring.events import Event, EventSpec
from sojourn.workflows.authoring.source_ast import calls_of, codes, is_near, only_called, texts_in, value_of

E = TypeVar("E", bound=Event, covariant=True)


@dataclass(frozen=True, slots=True)
class On(Generic[E]):
    """One of several events that a wait listens for.

    Attributes:
        event: The event's class.
        when: Which of these events fit; all of them if left out.
        restart: Such an event does not end the wait: its time begins again.
    """

    event: type[Event]
    when: Callable[[Any], bool] | None = None
    restart: bool = False


_CALLS = {"fetch": "source", "act": "action", "jump": "journey"}


def events_in(body: type) -> list[type[Event]]:
    """Return the event classes that a journey's code names, in the order in which they are met.

    Args:
        body: The class of the journey.
    """
    return [thing for thing in _things(body) if _is_event(thing)]


def calls_in(body: type) -> list[tuple[str, str]]:
    """Return the sources, actions and journeys that a journey's code names in its calls: pairs of kind and name.

    Calls whose first argument is computed are not found; they work all the same.

    Args:
        body: The class of the journey.
    """
    found: list[tuple[str, str]] = []
    for thing in _things(body):
        kind = getattr(getattr(thing, "__sojourn_function__", None), "kind", None)
        if (name := named(thing)) is not None and kind is not None:
            found.append((kind, name))
        elif isinstance(thing, FunctionType):
            found += _written(thing)
    return list(dict.fromkeys(found))


def texts_of(body: type) -> frozenset[str]:
    """Return the literal texts in a journey's code, without those that are computed.

    Args:
        body: The class of the journey.
    """
    return frozenset().union(*(texts_in(thing) for thing in _things(body) if isinstance(thing, FunctionType)))


def named(thing: Any) -> str | None:
    """Return the name of the source or action that a function was decorated as, or None."""
    name = getattr(getattr(thing, "__sojourn_function__", None), "name", None)
    return name if isinstance(name, str) else None


def awaited_in(body: type) -> list[type[Event]]:
    """Return the event classes that stand in a `wait_for` or an `on` of a journey's code.

    Args:
        body: The class of the journey.
    """
    found = []
    for thing in _things(body):
        if not isinstance(thing, FunctionType):
            continue
        for called, call in calls_of(thing):
            if called in ("wait_for", "on"):
                found += [value_of(argument, thing) for argument in call.args]
    return [event for event in dict.fromkeys(found) if _is_event(event)]


def _written(function: FunctionType) -> list[tuple[str, str]]:
    """Return the calls of `fetch`, `act` and `jump` whose first argument is a text."""
    found = []
    for called, call in calls_of(function):
        first = call.args[0] if call.args else None
        if called in _CALLS and isinstance(first, ast.Constant) and isinstance(first.value, str):
            found.append((_CALLS[called], first.value))
    return found


def _is_event(thing: Any) -> bool:
    return isinstance(thing, type) and isinstance(getattr(thing, "__sojourn_event__", None), EventSpec)


def _things(body: type) -> Iterator[Any]:
    """Yield every object that a class's code names, each once."""
    seen: set[int] = set()
    waiting: list[Any] = [body]
    while waiting:
        thing = waiting.pop(0)
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        yield thing
        if isinstance(thing, On):
            waiting.append(thing.event)
        elif isinstance(thing, Mapping):
            waiting += thing.values()
        elif isinstance(thing, tuple | list | set | frozenset):
            waiting += thing
        elif thing is not body and (_is_event(thing) or named(thing) is not None or not is_near(thing)):
            continue
        elif isinstance(thing, type):
            waiting += [_function(member) for _, member in inspect.getmembers_static(thing)]
        elif isinstance(thing, FunctionType):
            waiting += _named_by(thing)


def _function(member: Any) -> Any:
    """Return the function of a class's attribute."""
    if isinstance(member, property):
        return member.fget
    return getattr(member, "__func__", member)


def _named_by(function: FunctionType) -> list[Any]:
    """Return what a function's code names: globals, attributes of modules, closures.

    An event that it only makes, such as for `journey.jump`, is not one that it waits for.
    """
    found: list[Any] = []
    made = only_called(function)
    for cell in function.__closure__ or ():
        try:
            found.append(cell.cell_contents)
        except ValueError:
            continue  # Not bound yet, such as a class's own name in its methods.
    for code in codes(function.__code__):
        for name in code.co_names:
            value = function.__globals__.get(name)
            named = {name: value}
            if isinstance(value, ModuleType):
                named = {member: vars(value)[member] for member in code.co_names if member in vars(value)}
            found += [thing for name, thing in named.items() if not (name in made and _is_event(thing))]
    return [thing for thing in found if thing is not None]
