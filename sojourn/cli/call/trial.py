"""One test call: made as a worker makes it, with everything that went over the wire kept to be shown."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from sojourn.activities import AddressGuard, CallError, Calls, Secrets, StaticEndpoints, Transport
from sojourn.activities.auth.secrets import MASK, Mask, SecretStore
from sojourn.activities.errors import INVALID_RESPONSE
from sojourn.activities.http.response import MAX_RESULT
from sojourn.activities.http.wire import HttpRequest, HttpResponse
from sojourn.definitions import EndpointDefinition
from sojourn.settings import Settings

_SHOWN_HEADERS = frozenset(
    {"content-type", "content-length", "location", "retry-after", "etag", "www-authenticate", "request-id"}
    | {"x-request-id", "x-correlation-id", "traceparent", "deprecation", "sunset", "warning", "allow"}
)
_SHOWN_PREFIXES = ("ratelimit", "x-ratelimit")


@dataclass
class Trial:
    """What a test call brought.

    Attributes:
        response: The answer, masked: `{"status", "headers", "body", "text"}`, of which one of the last two is set;
            None where no answer came.
        seconds: How long the call took, with the request for a token where there was one.
        requests: How many requests were sent, those for tokens included.
        result: What `steps.<id>` would be; None where the call failed.
        error: What `journey.last_error` would be, without `step`; None where it succeeded.
    """

    response: dict[str, Any] | None = None
    seconds: float = 0.0
    requests: int = 0
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None


class TrialCaller:
    """Makes test calls to one endpoint.

    Used as an async context manager, which closes the connections.

    Args:
        definition: The endpoint.
        settings: Where secrets are, which hosts may be called, and which authorities are believed.
        functions: The project's Python functions, for an endpoint that is one.

    Raises:
        ValueError: `allow_hosts` names something that is no host.
        OSError: `ca_file` cannot be read.
    """

    def __init__(self, definition: EndpointDefinition, settings: Settings, functions: Any = ()) -> None:
        self._definition = definition
        self._mask = Mask()
        secrets = Secrets(settings.secrets.split(","), folder=settings.secrets_folder, dotenv=settings.dotenv)
        guard = AddressGuard.from_text(settings.allow_hosts)
        self._wire = _Wire(definition.id, self._mask, guard, settings)
        # What is cached, capped or throttled is a matter of workers: a test call is made, once, and now.
        alone = definition.model_copy(update={"cache": None, "cap": None, "throttle": None})
        self._calls = Calls(
            StaticEndpoints({definition.id: alone}),
            secrets=_Remembered(secrets, self._mask),
            transport=self._wire,
            functions=functions,
        )

    async def __aenter__(self) -> TrialCaller:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._calls.aclose()

    async def preview(self, parameters: Mapping[str, Any], key: str | None) -> HttpRequest | None:
        """Return the request as it would be sent, with secrets as `***`; None for a Python function.

        Raises:
            CallError: Such a call would be refused.
        """
        if self._definition.python is not None:
            return None
        kind, name = self._definition.kind, self._definition.name
        shown = await self._calls.request_preview(kind, name, parameters, idempotency_key=key)
        self._wire.shown = shown
        return shown

    async def make(self, parameters: Mapping[str, Any], key: str | None, window: float) -> Trial:
        """Make the call: one attempt, as a worker makes it."""
        trial, kind, name = Trial(), self._definition.kind, self._definition.name
        begun = time.perf_counter()
        try:
            result = await self._calls.call(kind, name, parameters, window=window, idempotency_key=key)
            _check_size(result)
            trial.result = result
        except CallError as error:
            trial.error = {
                "code": error.code,
                "status": error.status,
                "message": error.message,
                "body": error.body,
            }
        trial.seconds = time.perf_counter() - begun
        trial.requests = self._wire.requests
        if self._wire.answer is not None:
            trial.response = self._response(self._wire.answer)
        return trial

    def _response(self, answer: HttpResponse) -> dict[str, Any]:
        headers = {
            name: self._mask.text(value)
            for name, value in answer.headers.items()
            if name in _SHOWN_HEADERS or name.startswith(_SHOWN_PREFIXES)
        }
        text = answer.body.decode("utf-8-sig", "replace")
        shown: dict[str, Any] = {"status": answer.status, "headers": headers, "body": None, "text": None}
        try:
            shown["body"] = self._mask.value(json.loads(text))
        except (ValueError, RecursionError):
            shown["text"] = self._mask.text(text) or None
        return shown


@dataclass
class _Remembered:
    """Secrets of which each that was used is masked from then on."""

    store: SecretStore
    mask: Mask

    def get(self, name: str) -> str:
        return self.mask.add(self.store.get(name))


@dataclass
class _Traffic:
    shown: HttpRequest | None = None
    answer: HttpResponse | None = None
    requests: int = field(default=0)


class _Wire(Transport, _Traffic):
    """Sends requests as ever, and keeps the last answer of the endpoint itself."""

    def __init__(self, owner: str, mask: Mask, guard: AddressGuard, settings: Settings) -> None:
        Transport.__init__(self, guard, ca_file=settings.ca_file)
        _Traffic.__init__(self)
        self._owner, self._mask = owner, mask

    async def send(self, owner: str, request: HttpRequest, within: float) -> HttpResponse:
        self.requests += 1
        if owner == self._owner and self.shown is not None:
            for value in _hidden(self.shown, request):
                self._mask.add(value)
        response = await super().send(owner, request, within)
        if owner == self._owner:
            self.answer = response
        return response


def _hidden(shown: HttpRequest, sent: HttpRequest) -> list[str]:
    """Return what stands in a request where its preview has `***`: tokens that were fetched for it, too."""
    hidden = []
    for masked, actual in ((shown.headers, sent.headers), (_query(shown), _query(sent))):
        known = dict(masked)
        for name, value in actual:
            before, found, _ = known.get(name, "").partition(MASK)
            if found:
                hidden.append(value.removeprefix(before))
    return hidden


def _query(request: HttpRequest) -> tuple[tuple[str, str], ...]:
    return tuple(parse_qsl(urlsplit(request.url).query))


def _check_size(result: dict[str, Any]) -> None:
    if len(json.dumps(result, separators=(",", ":"))) > MAX_RESULT:
        message = (
            f"the answer takes more than the {MAX_RESULT // 1024} kB that an instance keeps; ask for less"
        )
        raise CallError(INVALID_RESPONSE, message, status=result.get("status"))
