"""Steps `fetch`: ask a data source."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from sojourn.definitions.base import Name
from sojourn.definitions.steps.endpoint_call import EndpointStep
from sojourn.definitions.steps.values import Target, Templates


class FetchStep(EndpointStep):
    """Asks a data source; the result is `steps.<id>`."""

    kind: ClassVar[str] = "fetch"
    in_python: ClassVar[str | None] = "fetch"
    endpoint_kind: ClassVar[str] = "source"

    fetch: Name
    with_: Templates = Field(default_factory=dict, alias="with", description="Values of the parameters")
    on_error: Target | None = None
