"""The other side, by a script: what each endpoint answers, and what it was asked."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sojourn.activities.errors import CallError
from sojourn.activities.http.wire import HttpRequest
from sojourn.simulation.actions import Meanwhile
from sojourn.simulation.partial_match import fits


@dataclass(frozen=True, slots=True)
class Answer:
    """What an endpoint answers.

    Attributes:
        status: The HTTP status.
        body: The body, plain JSON.
        headers: More headers, such as `Retry-After`.
        parameters: The answer is given only to calls with these parameters, see `sojourn.testing.fits`.
        after: Seconds that it takes. It takes none of the scenario's time, but counts towards the call's window.
        hang: No answer ever comes: the call's window ends it.
        refuse: The connection is refused.
        capped: The call is not made, as above a cap.
        during: What happens between the request and this answer, the first time that it is given: events that arrive,
            and what operators do, in the words of scenario files, such as `{"event": "order.placed", "data": {...}}`.

    Raises:
        ValueError: `during` says something that is not possible then.
    """

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    after: float = 0.0
    hang: bool = False
    refuse: bool = False
    capped: bool = False
    during: Sequence[Meanwhile | Mapping[str, Any]] = ()

    def __post_init__(self) -> None:
        """Read what happens meanwhile."""
        read = [Meanwhile.model_validate(act) for act in self.during]
        object.__setattr__(self, "during", read)


@dataclass(slots=True)
class Call:
    """One call that a journey made, with all its attempts.

    Attributes:
        kind: `source` or `action`.
        endpoint: The endpoint's name.
        parameters: The parameters' values.
        at: The scenario's time.
        journey: The journey.
        step: The step.
        workflow_id: The instance.
        profile: The profile key.
        idempotency_key: What each attempt of an action carries; nothing for a source.
        requests: The HTTP request of each attempt that reached the other side.
        statuses: What came of each attempt: a status, or the code of an error.
        spent: Seconds of the window that earlier attempts took.
    """

    kind: str
    endpoint: str
    parameters: dict[str, Any]
    at: datetime
    journey: str
    step: str
    workflow_id: str
    profile: str
    idempotency_key: str | None
    requests: list[HttpRequest] = field(default_factory=list)
    statuses: list[int | str] = field(default_factory=list)
    spent: float = 0.0

    @property
    def attempts(self) -> int:
        """How many attempts were made."""
        return len(self.statuses)

    @property
    def body(self) -> Any:
        """The JSON body of the last request; its text where it is no JSON, nothing where there is none."""
        content = self.requests[-1].body if self.requests else None
        if content is None:
            return None
        try:
            return json.loads(content)
        except ValueError:
            return content.decode("utf-8", "replace")

    def as_dict(self) -> dict[str, Any]:
        """Return the call as plain JSON."""
        return {
            "at": self.at.isoformat(),
            "endpoint": self.endpoint,
            "kind": self.kind,
            "with": self.parameters,
            "body": self.body,
            "profile": self.profile,
            "journey": self.journey,
            "step": self.step,
            "idempotency_key": self.idempotency_key,
            "attempts": self.statuses,
        }


Happen = Callable[[Any], Awaitable[None]]
"""Lets a `Meanwhile` happen."""

CURRENT: ContextVar[Call | None] = ContextVar("sojourn_testing_call", default=None)
"""The call that is being made by the activity that runs."""


class Script:
    """Holds the answers of every endpoint, and says which one a call gets.

    Of several answers of an endpoint, those that name parameters come before those for everyone; among those that fit,
    each is given once, in their order, and the last one again and again.

    Args:
        happen: Lets happen what does so while a call is in flight.

    Attributes:
        silent: Sources that were asked and for which there is no answer.
    """

    def __init__(self, happen: Happen) -> None:
        self._happen = happen
        self._answers: dict[str, list[Answer]] = {}
        self._given: set[int] = set()
        self.silent: list[str] = []

    def set(self, endpoint: str, answers: Answer | Sequence[Answer]) -> None:
        """Set what an endpoint answers from now on.

        Args:
            endpoint: Its name.
            answers: One answer for every call, or several in order.
        """
        self._answers[endpoint] = [answers] if isinstance(answers, Answer) else list(answers)

    async def next(self, call: Call) -> Answer:
        """Let happen what comes before the answer that a call gets, and return that.

        Raises:
            CallError: There is none for this source.
        """
        known = self._answers.get(call.endpoint, [])
        fitting = [answer for answer in known if fits(answer.parameters, call.parameters)]
        chosen = [answer for answer in fitting if answer.parameters] or fitting
        if not chosen:
            if call.kind == "action" and not known:
                return Answer()
            self.silent.append(call.endpoint)
            raise CallError("refused", f"no answer is scripted for this call of {call.endpoint}")
        fresh = [answer for answer in chosen if id(answer) not in self._given]
        answer = fresh[0] if fresh else chosen[-1]
        if id(answer) not in self._given:
            self._given.add(id(answer))
            for act in answer.during:
                await self._happen(act)
        return answer
