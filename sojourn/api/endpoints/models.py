"""What the API says of endpoints and is asked of them, as the OpenAPI document describes it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from sojourn.api.models import Answer

Kind = Literal["source", "action"]


class CapLimit(BaseModel):
    """At most `calls` calls in each `per`, over all workers; those above are not made: the error `capped`."""

    model_config = ConfigDict(strict=True, extra="forbid")

    calls: int = Field(description="1 to 10,000,000.", examples=[15])
    per: str = Field(description="A duration, 100ms to 366d.", examples=["1s"])


class ThrottleLimit(BaseModel):
    """At most `calls` calls in each `per`, over all workers; those above wait."""

    model_config = ConfigDict(strict=True, extra="forbid")

    calls: int = Field(description="1 to 10,000,000; from one call a day to 5,000 a second.", examples=[100])
    per: str = Field(description="A duration, 1ms to 366d.", examples=["1s"])
    expire: str | None = Field(
        None,
        description="A duration, 1s to 90d: a call that waited so long is dropped as the error `expired`. As "
        "before if left out.",
        examples=["1h"],
    )


class LimitsIn(BaseModel):
    """Limits to set. What is left out stays as it is."""

    model_config = ConfigDict(strict=True, extra="forbid", title="EndpointLimits")

    cap: CapLimit | None = Field(None, description="For sources and actions.")
    throttle: ThrottleLimit | None = Field(None, description="For actions only.")


class Which(BaseModel):
    """Which limits to reset."""

    model_config = ConfigDict(extra="forbid")

    limit: list[Literal["cap", "throttle"]] | None = Field(
        None, description="`cap` or `throttle`; may be given twice. Both if left out."
    )


class LimitOut(Answer):
    """A limit."""

    model_config = ConfigDict(title="Limit")

    calls: int = Field(examples=[100])
    per: str = Field(description="The time in which so many calls are made.", examples=["1s"])
    expire: str | None = Field(
        None, description="Of a throttle: how long a call waits for its turn.", examples=["6h"]
    )


class LimitInForce(LimitOut):
    """A limit that is in force."""

    model_config = ConfigDict(title="LimitInForce")

    set_by: Literal["definition", "operator"] = Field(description="Who set it.")


class Failure(Answer):
    """A failed attempt of a call. It holds no customer's data."""

    at: datetime = Field(description="When it failed, UTC.")
    code: str = Field(description="The error code.", examples=["http_503"])
    status: int | None = Field(description="The HTTP status, where an answer came.")
    message: str
    journey: str | None = Field(description="The journey that called.")
    step: str | None = Field(description="Its step.")
    attempt: int = Field(description="Which attempt it was, from 1.")
    final: bool = Field(description="Whether the call ended with it; otherwise another attempt followed.")


class EndpointSummary(Answer):
    """An endpoint in a list."""

    kind: Kind
    name: str = Field(examples=["email.send"])
    description: str | None
    method: str | None = Field(description="The HTTP method; null for a Python function.")
    host: str | None = Field(description="Host and port of its URL; null for a Python function.")
    python: str | None = Field(description="`module:function` of a Python function; null for an HTTP API.")
    cap: LimitInForce | None = Field(description="The cap in force.")
    throttle: LimitInForce | None = Field(description="The throttle in force.")
    waiting: int | None = Field(
        description="About how many calls wait for their turn, as Temporal counted some seconds ago; null without a "
        "throttle, and where Temporal does not say."
    )
    last_error: Failure | None = Field(description="The last attempt that failed, where one is kept.")


class Endpoints(Answer):
    """Every endpoint that was published, sources first, by name."""

    endpoints: list[EndpointSummary]


class PublishedLimits(Answer):
    """The limits that the definition names."""

    cap: LimitOut | None
    throttle: LimitOut | None


class Endpoint(EndpointSummary):
    """An endpoint with its definition and the last attempts that failed."""

    definition: dict[str, Any] = Field(
        description="As it was published, durations in seconds; secrets are named in it, never written."
    )
    secrets: list[str] = Field(description="Names of the secrets that its calls need.")
    published: PublishedLimits = Field(description="What is in force where no operator set anything.")
    changed_at: datetime | None = Field(
        description="When an operator last set a limit that is in force, UTC."
    )
    journeys: list[str] = Field(description="Journeys whose latest version calls it.")
    errors: list[Failure] = Field(description="The last attempts that failed, newest first, at most 100.")
