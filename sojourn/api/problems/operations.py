"""Kinds of problems about the states of journeys, operations and instances."""

from __future__ import annotations

from sojourn.api.problems.types import ProblemType, define

NOT_IN_THIS_STATE = define(
    ProblemType(
        "not-in-this-state",
        409,
        "The journey's state does not allow this",
        "Do one of the things in `possible`, as the detail says. `state` is the journey's state; the table of what is "
        "allowed in which is in the documentation, under Lifecycle of journeys.",
        "cart-abandonment is closed, not paused. Publish a new version, or reopen it, to let profiles in.",
        {"state": "closed", "possible": ["publish", "reopen", "close", "stop"]},
    )
)
NO_DRAFT = define(
    ProblemType(
        "no-draft",
        409,
        "The journey has no draft",
        "Save one first, with `POST /v1/journeys?draft=true` or `sojourn publish --draft`.",
        "cart-abandonment has no draft. Save one with `POST /v1/journeys?draft=true`.",
    )
)
UNKNOWN_OPERATION = define(
    ProblemType(
        "unknown-operation",
        404,
        "No such operation",
        "Look the number up with `GET /v1/operations`.",
        "There is no operation 7.",
    )
)
INSTANCE_ENDED = define(
    ProblemType(
        "instance-ended",
        409,
        "The instance has ended",
        "Read it with `GET /v1/instances/{workflow_id}`: nothing can be done with it any more.",
        "The instance cart-abandonment:cust-1 has ended.",
    )
)
