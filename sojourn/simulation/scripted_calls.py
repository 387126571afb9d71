"""Calls whose other side is a script. All else of a call is real: request, window, retries, caps, checks, masking."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from sojourn.activities import Calls, EndpointDirectory, Transport
from sojourn.activities.auth.secrets import CallSecrets
from sojourn.activities.caps import Caps
from sojourn.activities.endpoint import PreparedEndpoint
from sojourn.activities.errors import NETWORK, TIMED_OUT, CallError
from sojourn.activities.function import FunctionCalls
from sojourn.activities.http.response import read_result
from sojourn.activities.http.wire import HttpRequest, HttpResponse, json_bytes
from sojourn.activities.jump import Jumps
from sojourn.activities.profile import Profiles
from sojourn.simulation.scripted_answers import CURRENT, Call, Script


class ScriptedCalls(Calls):
    """Calls that reach nobody: HTTP endpoints and Python functions answer by a script.

    Args:
        endpoints: Knows the endpoints.
        script: The answers.
        caps: Counts the calls of capped endpoints.
        profiles: Where the built-in profiles are kept.
        jumps: Lets profiles into other journeys.
    """

    def __init__(
        self,
        endpoints: EndpointDirectory,
        script: Script,
        *,
        caps: Caps,
        profiles: Profiles,
        jumps: Jumps | None = None,
    ) -> None:
        transport = ScriptedTransport(script)
        super().__init__(
            endpoints, secrets=AnySecret(), transport=transport, caps=caps, profiles=profiles, jumps=jumps
        )
        self._functions = ScriptedFunctions(script)


class ScriptedFunctions(FunctionCalls):
    """Python functions, none of which is called.

    Args:
        script: The answers.
    """

    def __init__(self, script: Script) -> None:
        super().__init__()
        self._script = script

    async def call(
        self,
        endpoint: PreparedEndpoint,
        parameters: Mapping[str, Any],
        key: str | None,
        within: float,
        secrets: CallSecrets,
    ) -> dict[str, Any]:
        """Return the scripted answer in the place of the function's, see `FunctionCalls.call`."""
        endpoint.check(parameters)
        answered = await _answered(self._script, _current(), within)
        found = endpoint.response
        if answered.body == b"{}" and found and found.problem({}) and not found.problem(None):
            # The answer of who says none, for a function that returns nothing.
            answered = HttpResponse(answered.status, answered.headers, b"")
        return read_result(answered, found)


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
        return await _answered(self._script, call, within)


def _current() -> Call:
    call = CURRENT.get()
    assert call is not None, "calls are made by activities, which a recorder sees"
    return call


async def _answered(script: Script, call: Call, within: float) -> HttpResponse:
    """Return the answer that a call gets, and note what it is.

    Raises:
        CallError: The script says that none comes.
    """
    try:
        response = await _answer(script, call, within)
    except CallError as error:
        call.statuses.append(error.code)
        raise
    call.statuses.append(response.status)
    return response


async def _answer(script: Script, call: Call, within: float) -> HttpResponse:
    answer = await script.next(call)
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
