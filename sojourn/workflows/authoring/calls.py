"""Calls of sources and actions, and jumps, in Python journeys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import PydanticSerializationError, to_jsonable_python

from sojourn.workflows.authoring.errors import JourneyError
from sojourn.workflows.authoring.events import Event
from sojourn.workflows.authoring.runtime import Running, perform
from sojourn.workflows.authoring.source_scan import named
from sojourn.workflows.engine import jumping
from sojourn.workflows.engine.calling import call


@dataclass(frozen=True, slots=True)
class Result:
    """The answer of a source or an action.

    Attributes:
        status: The HTTP status; 200 if it is a Python function.
        body: The body, plain JSON.
    """

    status: int
    body: Any


async def fetch(source: str | Callable[..., Any], /, **parameters: Any) -> Result:
    """Ask a data source.

    Args:
        source: Its name, or the function that was decorated with `source.defn`.
        parameters: Its parameters, by name: JSON, pydantic models, datetimes.

    Returns:
        Status and body.

    Raises:
        CallError: It failed for good.
    """
    return await _call("fetch", "source", source, parameters)


async def act(action: str | Callable[..., Any], /, **parameters: Any) -> Result:
    """Perform an action. Every attempt carries the same idempotency key.

    Args:
        action: Its name, or the function that was decorated with `action.defn`.
        parameters: Its parameters, by name: JSON, pydantic models, datetimes.

    Returns:
        Status and body.

    Raises:
        CallError: It failed for good.
    """
    return await _call("action", "action", action, parameters)


async def jump(target: str, /, data: Event | Mapping[str, Any] | None = None) -> bool:
    """Start the profile on the newest version of another journey, and continue at once; it is then in both.

    Args:
        target: The other journey's name.
        data: Data of the event on which profiles enter it, or that event; the data of this instance's entry event if
            left out.

    Returns:
        Whether it was started; False if the profile is in that journey already.

    Raises:
        CallError: The journey refuses the profile (`refused`), or could not be asked for a day (`network`).
        JourneyError: The data cannot be written as JSON.
    """
    plain: Any = None
    if data is not None:
        try:
            plain = to_jsonable_python(data if isinstance(data, Event) else dict(data), by_alias=True)
        except PydanticSerializationError as error:
            raise JourneyError(
                f"the data of the jump to {target} cannot be written as JSON: {type(error).__name__}"
            ) from None

    async def work(current: Running) -> tuple[bool, str]:
        given = current.instance.start.event.data if data is None else plain
        answer = await jumping.jump(current.instance, target, given)
        return answer["effect"] == "started", jumping.summary(answer)

    started: bool = await perform("jump", f"jump-{target}", work)
    return started


async def _call(
    kind: str, role: str, endpoint: str | Callable[..., Any], parameters: dict[str, Any]
) -> Result:
    name = endpoint if isinstance(endpoint, str) else named(endpoint)
    if not isinstance(name, str):
        raise JourneyError(
            f"{getattr(endpoint, '__name__', endpoint)!r} is not a {role}: give its name, or a function decorated with "
            f"@{role}.defn"
        )
    try:
        plain = to_jsonable_python(parameters)
    except PydanticSerializationError as error:
        raise JourneyError(
            f"a parameter of {name} cannot be written as JSON: {type(error).__name__}"
        ) from None

    async def work(current: Running) -> tuple[Result, str]:
        known = current.instance.definition["endpoints"].setdefault(name, {"kind": role, "throttled": False})
        if known["kind"] != role:
            raise JourneyError(
                f"{name} is {'an action: journey.act' if role == 'source' else 'a source: journey.fetch'} calls it"
            )
        answer = await call(current.instance, name, plain)
        return Result(answer.get("status", 0), answer.get("body")), str(answer.get("status") or "ok")

    found: Result = await perform(kind, f"{kind}-{name}", work)
    return found
