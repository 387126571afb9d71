"""New runs of a Python journey's instance whose history has become long."""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, to_jsonable_python
from temporalio import workflow

from sojourn.workflows.authoring.errors import JourneyError
from sojourn.workflows.authoring.runtime import acting, occupied, running

T = TypeVar("T")

_CARRIED = "carried"


def continue_as_new_suggested() -> bool:
    """Return whether Temporal suggests a new run, because this one's history has become long."""
    running()
    return workflow.info().is_continue_as_new_suggested()


async def continue_as_new(state: Any = None) -> NoReturn:
    """Continue in a new run, with an empty history: the journey's method is called again, with the same entry event.

    Everything that Sojourn knows goes with it: events that no wait has taken yet, the ids of all that came, the trace,
    visits of steps, the last error, the end of the instance's time. What the code knows is lost but for `state`, which
    `carried` gives back.

        while True:
            visit = await journey.wait_for(Visited)
            total += visit.amount
            if journey.continue_as_new_suggested():
                await journey.continue_as_new({"total": total})

    Args:
        state: JSON, a dataclass or a pydantic model.

    Raises:
        JourneyError: The state cannot be written as JSON, or is too large.
    """
    current = acting("journey.continue_as_new")
    instance = current.instance
    try:
        plain = to_jsonable_python(state)
    except PydanticSerializationError as error:
        raise JourneyError(
            f"the state of continue_as_new cannot be written as JSON: {type(error).__name__}"
        ) from None
    current.flush()
    async with occupied(current, "journey.continue_as_new"):
        await instance.proceed()
        instance.arrivals.check_ended()
        instance.state.approach(None)
        instance.state.results = {_CARRIED: plain}
        message = instance.state.carry()
    if message is None:
        raise JourneyError("the state of continue_as_new is too large to be carried: keep less of it")
    workflow.continue_as_new(message)


def carried(kind: type[T]) -> T | None:
    """Return the state that the previous run of this instance carried over; None in the first run.

    Args:
        kind: What it is: a pydantic model, a dataclass, or a type such as `dict[str, int]`.

    Raises:
        JourneyError: What was carried does not fit.
    """
    found = running().instance.state.results.get(_CARRIED)
    if found is None:
        return None
    try:
        return TypeAdapter(kind).validate_python(found)
    except ValidationError as error:
        raise JourneyError(
            f"what an earlier run carried does not fit {getattr(kind, '__name__', kind)} in {error.error_count()} "
            "places: read what earlier code wrote as well"
        ) from None
