"""Data sources as Python functions.

    from sojourn import source

    @source.defn(name="crm.customer", cache=timedelta(minutes=1))
    async def customer(id: str) -> Customer:
        ...

Journeys then use `crm.customer` as any other source: `{fetch: crm.customer, with: {id: ...}}`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from sojourn.functions.context import Context, context, entered
from sojourn.functions.declaration import Cap, define
from sojourn.functions.errors import DefinitionError, Failed

__all__ = ["Cap", "Context", "DefinitionError", "Failed", "context", "defn", "entered"]

_F = TypeVar("_F", bound=Callable[..., Any])


def defn(
    *, name: str, description: str | None = None, cap: Cap | None = None, cache: timedelta | None = None
) -> Callable[[_F], _F]:
    """Make a function a data source, which journeys ask by its name. It looks up and changes nothing.

    What `sojourn.action.defn` says of parameters, answer, `async def` and `def` holds here as well.

    Args:
        name: The source's name.
        description: What it looks up; the first paragraph of the docstring if left out.
        cap: Most calls in some time; those above it fail as `capped`.
        cache: How long the same answer serves again, in one worker.

    Returns:
        A decorator that returns the function it is given.

    Raises:
        DefinitionError: The function cannot be a source; the message says what to write instead.
    """
    settings = {"name": name, "description": description, "cap": cap, "cache": cache}
    names = sys._getframe(1).f_locals

    def decorate(function: _F) -> _F:
        define(function, "source", settings, names)
        return function

    return decorate
