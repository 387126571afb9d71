"""Steps `action`: perform an action."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from sojourn.definitions.base import Name
from sojourn.definitions.steps.endpoint_call import EndpointStep
from sojourn.definitions.steps.values import Target, Templates


class ActionStep(EndpointStep):
    """Performs an action; the result is `steps.<id>`."""

    kind: ClassVar[str] = "action"
    in_python: ClassVar[str | None] = "act"
    endpoint_kind: ClassVar[str] = "action"

    action: Name
    with_: Templates = Field(default_factory=dict, alias="with", description="Values of the parameters")
    on_error: Target | None = None
