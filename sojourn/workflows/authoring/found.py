"""Which events and endpoints a journey's code names, found by reading its code objects.

Routing has to know which events a journey waits for before an instance waits for one. So the code is searched: the
class, and the functions and classes of its own module (and of modules beside it) that it uses. What is not found this
way, such as an event class that is looked up in a mapping, is given to `journey.defn` as `listens`; `wait_for` says so
where one is missing.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from types import CodeType, FunctionType, ModuleType
from typing import Any

from sojourn.definitions.compiler import compile_endpoint
from sojourn.definitions.endpoints import EndpointDefinition
from sojourn.workflows.authoring.events import Event, EventSpec

_LIBRARIES = frozenset({"sojourn", "temporalio", "pydantic", "builtins"})


def events_in(body: type) -> list[type[Event]]:
    """Return the event classes that a journey's code names, in the order in which they are met.

    Args:
        body: The class of the journey.
    """
    return [thing for thing in _things(body) if _is_event(thing)]


def endpoints_in(body: type, endpoints: Mapping[str, EndpointDefinition]) -> dict[str, dict[str, Any]]:
    """Return what a compiled definition says of the endpoints whose names stand in a journey's code.

    Args:
        body: The class of the journey.
        endpoints: The project's endpoints by id.
    """
    texts = {thing for thing in _things(body) if isinstance(thing, str)}
    texts |= {name for thing in _things(body) if (name := named(thing)) is not None}
    return {
        definition.name: compile_endpoint(definition)
        for definition in sorted(endpoints.values(), key=lambda item: item.name)
        if definition.name in texts
    }


def named(thing: Any) -> str | None:
    """Return the name of the source or action that a function was decorated as, or nothing."""
    name = getattr(getattr(thing, "__sojourn_function__", None), "name", None)
    return name if isinstance(name, str) else None


def _is_event(thing: Any) -> bool:
    return isinstance(thing, type) and isinstance(getattr(thing, "__sojourn_event__", None), EventSpec)


def _things(body: type) -> Iterator[Any]:
    """Yield every object and text that a class's code names, each once."""
    home = body.__module__.partition(".")[0]
    seen: set[int] = set()
    waiting: list[Any] = [body]
    while waiting:
        thing = waiting.pop(0)
        if isinstance(thing, str):
            yield thing
            continue
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        yield thing
        if _is_event(thing) and thing is not body:
            continue
        if isinstance(thing, type) and _is_near(thing, home):
            waiting += [member for _, member in inspect.getmembers(thing) if isinstance(member, FunctionType)]
        elif isinstance(thing, FunctionType) and _is_near(thing, home):
            waiting += _named(thing)


def _is_near(thing: Any, home: str) -> bool:
    """Say whether a class or function is the author's own, not a library's."""
    top = str(getattr(thing, "__module__", "")).partition(".")[0]
    return top not in _LIBRARIES or top == home


def _named(function: FunctionType) -> list[Any]:
    """Return what a function's code names: globals, attributes of modules, closures, texts."""
    found: list[Any] = []
    enclosed = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=False))
    for cell in enclosed.values():
        try:
            found.append(cell.cell_contents)
        except ValueError:
            continue  # Not bound yet, such as a class's own name in its methods.
    for code in _codes(function.__code__):
        found += [constant for constant in code.co_consts if isinstance(constant, str)]
        for name in code.co_names:
            if name not in function.__globals__:
                continue
            value = function.__globals__[name]
            found += _members(value, code.co_names) if isinstance(value, ModuleType) else [value]
    return found


def _members(module: ModuleType, names: tuple[str, ...]) -> list[Any]:
    return [vars(module)[name] for name in names if name in vars(module)]


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)
