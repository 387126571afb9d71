"""The built-in profile in Python journeys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import PydanticSerializationError, to_jsonable_python

from sojourn.workflows.authoring.errors import CallError, JourneyError
from sojourn.workflows.authoring.runtime import Running, acting, occupied, perform
from sojourn.workflows.engine.endings import StepError


async def profile() -> Mapping[str, Any]:
    """Return the attributes of the profile that is on this journey.

    They are read at the first call, and again if they may have changed since, such as after a wait. A profile that does
    not exist is empty. Reading is not a step of the journey.

    Raises:
        CallError: They could not be read.
    """
    current = acting("journey.profile")
    instance = current.instance
    known, before = instance.profile, instance.position
    step = current.stretch.name if current.stretch else "profile"
    async with occupied(current, "journey.profile"):
        if before.step is None:
            instance.state.approach(step)
        await instance.proceed()
        try:
            await known.refresh(known.stale)
        except StepError as error:
            instance.state.fail(step, error)
            raise CallError(step, error) from None
        instance.state.return_to(before)
    return dict(known.attributes)


async def update_profile(**attributes: Any) -> None:
    """Write attributes of the profile, as a merge patch (RFC 7396): null removes one, objects are merged.

    Args:
        attributes: By name: JSON, pydantic models, datetimes.

    Raises:
        CallError: They could not be written.
    """
    try:
        changes = to_jsonable_python(attributes)
    except PydanticSerializationError as error:
        raise JourneyError(f"an attribute cannot be written as JSON: {type(error).__name__}") from None

    async def work(current: Running) -> tuple[None, str]:
        current.instance.show("writes the profile")
        await current.instance.profile.update(changes)
        return None, "updated"

    await perform("update_profile", "update_profile", work)
