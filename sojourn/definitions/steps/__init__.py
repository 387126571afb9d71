"""The kinds of steps of a journey: one module each, named as in `sojourn.workflows.steps`.

A new kind is a module here with its model, and a line in `_MODELS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Union

from pydantic import Discriminator, Tag

from sojourn.definitions.steps.action import ActionStep
from sojourn.definitions.steps.condition import ConditionStep
from sojourn.definitions.steps.end import EndStep
from sojourn.definitions.steps.fetch import FetchStep
from sojourn.definitions.steps.jump import JumpStep
from sojourn.definitions.steps.kind import Step
from sojourn.definitions.steps.log import LogStep
from sojourn.definitions.steps.set import SetStep
from sojourn.definitions.steps.split import SplitStep
from sojourn.definitions.steps.time_condition import TimeConditionStep
from sojourn.definitions.steps.update_profile import UpdateProfileStep
from sojourn.definitions.steps.wait import WaitStep
from sojourn.definitions.steps.wait_for import WaitForStep

_MODELS: tuple[type[Step], ...] = (
    WaitForStep,
    WaitStep,
    ConditionStep,
    TimeConditionStep,
    SplitStep,
    FetchStep,
    ActionStep,
    SetStep,
    UpdateProfileStep,
    JumpStep,
    LogStep,
    EndStep,
)

KINDS: Mapping[str, type[Step]] = {model.kind: model for model in _MODELS}
"""The model of each kind, in the order in which help lists them."""


def _tag(value: Any) -> str | None:
    if isinstance(value, Step):
        return f"kind:{value.kind}"
    kinds = [kind for kind in KINDS if kind in value] if isinstance(value, dict) else []
    return f"kind:{kinds[0]}" if len(kinds) == 1 else None


if TYPE_CHECKING:
    AnyStep = Step
else:
    AnyStep = Annotated[
        Union[tuple(Annotated[model, Tag(f"kind:{model.kind}")] for model in _MODELS)],  # noqa: UP007
        Discriminator(_tag),
    ]
"""A step of any kind; exactly one of its keys says which."""

__all__ = ["KINDS", "AnyStep", "Step"]
