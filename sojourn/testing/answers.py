"""The other side, by a script: what each endpoint answers, and what it was asked."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sojourn.activities import Transport
from sojourn.activities.errors import NETWORK, TIMED_OUT, CallError
from sojourn.activities.wire import HttpRequest, HttpResponse, json_bytes
from sojourn.testing.fitting import fits


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
    """

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    after: float = 0.0
    hang: bool = False
    refuse: bool = False
    capped: bool = False


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


CURRENT: ContextVar[Call | None] = ContextVar("sojourn_testing_call", default=None)
"""The call that is being made by the activity that runs."""


class Script:
    """Holds the answers of every endpoint, and says which one a call gets.

    Of several answers of an endpoint, those that name parameters come before those for everyone; among those that fit,
    each is given once, in their order, and the last one again and again.

    Attributes:
        silent: Sources that were asked and for which there is no answer.
    """

    def __init__(self) -> None:
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

    def next(self, call: Call) -> Answer:
        """Return the answer that a call gets.

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
        self._given.add(id(answer))
        return answer


class ScriptedTransport(Transport):
    """Sends no request anywhere: it notes it, and answers by a script.

    Args:
        script: The answers.
    """

    def __init__(self, script: Script) -> None:
        self._script = script

    async def aclose(self) -> None:
        """Nothing is open."""

    async def send(self, owner: str, request: HttpRequest, within: float) -> HttpResponse:
        """Return the scripted answer.

        Args:
            owner: The endpoint.
            request: The request.
            within: Seconds that are left of the call's window.

        Raises:
            CallError: The script says that none comes.
        """
        call = CURRENT.get()
        if call is None or not owner.endswith(f":{call.endpoint}"):
            # Somebody asks for a token; the journey knows nothing of it.
            return _json(200, {"access_token": "scenario", "token_type": "Bearer", "expires_in": 3600})
        call.requests.append(request)
        try:
            response = self._answer(call, within)
        except CallError as error:
            call.statuses.append(error.code)
            raise
        call.statuses.append(response.status)
        return response

    def _answer(self, call: Call, within: float) -> HttpResponse:
        answer = self._script.next(call)
        if answer.capped:
            raise CallError("capped", "the call was not made: the endpoint's cap is reached")
        if answer.refuse:
            raise CallError(NETWORK, "the connection was refused", retryable=True)
        if answer.hang or call.spent + answer.after >= within:
            raise CallError(TIMED_OUT, f"no complete answer within {within:g} s")
        call.spent += answer.after
        return _json(answer.status, answer.body, answer.headers)


def _json(status: int, body: Any, headers: Mapping[str, str] | None = None) -> HttpResponse:
    given = {name.lower(): value for name, value in (headers or {}).items()}
    return HttpResponse(status, {"content-type": "application/json", **given}, json_bytes(body))


class AnySecret:
    """Gives each secret a value that opens nothing: a scenario needs none of a deployment's."""

    def get(self, name: str) -> str:
        """Return a value for a secret."""
        return "scenario-" + base64.b16encode(name.encode()).decode()
