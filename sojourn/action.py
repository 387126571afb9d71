"""Actions as Python functions.

    from sojourn import action

    @action.defn(name="email.send")
    async def send(to: str, template: str) -> Sent:
        ...

Journeys then use `email.send` as any other action: `{action: email.send, with: {to: ..., template: ...}}`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

from sojourn.functions.context import Context, context, entered
from sojourn.functions.declaration import Cap, Throttle, define
from sojourn.functions.errors import DefinitionError, Failed

__all__ = ["Cap", "Context", "DefinitionError", "Failed", "Throttle", "context", "defn", "entered"]

_F = TypeVar("_F", bound=Callable[..., Any])


def defn(
    *, name: str, description: str | None = None, cap: Cap | None = None, throttle: Throttle | None = None
) -> Callable[[_F], _F]:
    """Make a function an action, which journeys call by its name.

    Its parameters are given by name, and are of the types of its annotations: pydantic converts and checks them, and
    their JSON Schemas are published, as is that of the answer. The function itself stays as it is, so that tests can
    call it. `async def` runs in the worker's event loop; `def` runs in a thread, where it may block.

    Args:
        name: The action's name.
        description: What it does; the first paragraph of the docstring if left out.
        cap: Most calls in some time; those above it fail as `capped`.
        throttle: Most calls in some time; those above it wait.

    Returns:
        A decorator that returns the function it is given.

    Raises:
        DefinitionError: The function cannot be an action; the message says what to write instead.
    """
    settings = {"name": name, "description": description, "cap": cap, "throttle": throttle}
    names = sys._getframe(1).f_locals

    def decorate(function: _F) -> _F:
        define(function, "action", settings, names)
        return function

    return decorate
