"""The activities: asking a data source, and performing an action."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, Self

from temporalio import activity

from sojourn.activities.auth import authentication
from sojourn.activities.auth.authentication import Authenticator
from sojourn.activities.auth.secrets import CallSecrets, MaskedSecrets, Secrets, SecretStore
from sojourn.activities.cache import ResultCache
from sojourn.activities.caps import CapCheck, Caps, LocalCaps
from sojourn.activities.directory import EndpointDirectory
from sojourn.activities.endpoint import PreparedEndpoint, PreparedEndpoints
from sojourn.activities.errors import (
    CAPPED,
    EXPIRED,
    NETWORK,
    REFUSED,
    TIMED_OUT,
    CallError,
    refused,
)
from sojourn.activities.event import EventCalls, EventRouting
from sojourn.activities.function import FunctionCalls, begin
from sojourn.activities.http.connection_guard import AddressGuard
from sojourn.activities.http.request import build_request
from sojourn.activities.http.response import check_size, read_result
from sojourn.activities.http.transport import Transport
from sojourn.activities.http.wire import HttpRequest, HttpResponse
from sojourn.activities.jump import JumpCalls, Jumps
from sojourn.activities.observer import CallObserver, failure_of
from sojourn.activities.profile import ProfileCalls, Profiles
from sojourn.activities.reporting import log_failure, place, trace
from sojourn.activities.throttling.expired import Expiries
from sojourn.activities.throttling.queued_call import MustQueue, check_queued
from sojourn.activities.window import LocalMemory, Window
from sojourn.contract import names
from sojourn.definitions import EndpointDefinition
from sojourn.settings import Settings

Kind = Literal["source", "action"]

SHARED_TIMEOUT = 30.0
"""Seconds that a look-up may take whose answer several calls wait for. Each of them has its own window as
well."""

DEFAULT_WINDOW = 30.0
"""Seconds of a call whose caller does not say."""

_UNAUTHORIZED = 401

logger = logging.getLogger("sojourn.activities")


class Calls:
    """The activities that call data sources and actions, with their connections, tokens and cached answers.

    One for a worker process. Made and closed in the event loop of the worker:

        async with Calls(endpoints, secrets=Secrets(["CRM_TOKEN"])) as calls:
            Worker(..., activities=calls.activities)

    Args:
        endpoints: Knows the endpoints; asked at every call.
        secrets: Where the values of secrets come from; by default none is allowed.
        transport: Sends the requests; by default one that reaches public addresses only.
        observer: Is told of every failed attempt.
        functions: Functions with `@action.defn` or `@source.defn`, which this worker runs.
        caps: Counts the calls of capped endpoints. By default this process counts for itself alone; `Store.caps`
            counts for all.
        profiles: Where the built-in profiles are kept, `Store.profiles`; without it what uses them is `refused`.
        jumps: Lets profiles into other journeys, `sojourn.routing.RoutedJumps`; without it jumps are `refused`.
        events: Routes the events of `sojourn.Event`, see `sojourn.routing.event_workflow`; without it they wait.

    Raises:
        ValueError: A function has no such decorator, or two have one name; the message says which.
    """

    def __init__(
        self,
        endpoints: EndpointDirectory,
        *,
        secrets: SecretStore | None = None,
        transport: Transport | None = None,
        observer: CallObserver | None = None,
        functions: Iterable[Callable[..., Any]] = (),
        caps: Caps | None = None,
        profiles: Profiles | None = None,
        jumps: Jumps | None = None,
        events: EventRouting | None = None,
    ) -> None:
        self._jumps = JumpCalls(jumps)
        self._events = EventCalls(events)
        self._profiles = ProfileCalls(profiles)
        self._caps = CapCheck(caps or LocalCaps())
        self._opened = 0
        self._functions = FunctionCalls(functions)
        self._observer = observer
        self.expiries = Expiries(observer)
        self.endpoints = endpoints
        self._secrets = secrets or Secrets()
        self._transport = transport or Transport(AddressGuard())
        self._authenticator = Authenticator(self._transport)
        self._results = ResultCache()
        self._prepared = PreparedEndpoints()
        self._memory = LocalMemory()

    @classmethod
    def from_settings(
        cls,
        endpoints: EndpointDirectory,
        settings: Settings,
        *,
        observer: CallObserver | None = None,
        functions: Iterable[Callable[..., Any]] = (),
        caps: Caps | None = None,
        profiles: Profiles | None = None,
        jumps: Jumps | None = None,
        events: EventRouting | None = None,
    ) -> Self:
        """Return the activities of a deployment.

        Args:
            endpoints: Knows the endpoints.
            settings: `secrets`, `secrets_folder`, `dotenv`, `allow_hosts` and `ca_file` are used.
            observer: Is told of every failed attempt.
            functions: Python functions that are sources or actions.
            caps: Counts the calls of capped endpoints; by default this process counts for itself alone.
            profiles: Where the built-in profiles are kept.
            jumps: Lets profiles into other journeys.
            events: Routes the events of `sojourn.Event`.

        Raises:
            ValueError: `allow_hosts` names something that is no host, or a function is none of Sojourn's; the message
                says which.
            OSError: `ca_file` cannot be read, or holds no certificate.
        """
        secrets = Secrets(settings.secrets.split(","), folder=settings.secrets_folder, dotenv=settings.dotenv)
        transport = Transport(AddressGuard.from_text(settings.allow_hosts), ca_file=settings.ca_file)
        return cls(
            endpoints,
            secrets=secrets,
            transport=transport,
            observer=observer,
            functions=functions,
            caps=caps,
            profiles=profiles,
            jumps=jumps,
            events=events,
        )

    @property
    def activities(self) -> list[Callable[..., Any]]:
        """What a worker registers."""
        others = (self._profiles, self._jumps, self._events)
        return [self.fetch, self.action, *(one for owner in others for one in owner.activities)]

    async def __aenter__(self) -> Self:
        self._opened += 1
        self.expiries.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        # Several workers may share it: the last one closes.
        self._opened -= 1
        if self._opened == 0:
            await self.aclose()

    async def aclose(self) -> None:
        """Close connections, and forget tokens and cached answers. Calls in flight fail."""
        await self._results.aclose()
        await self._authenticator.aclose()
        await self._transport.aclose()
        await self._functions.aclose()

    @activity.defn(name=names.ACTIVITY_FETCH)
    async def fetch(self, call: dict[str, Any]) -> dict[str, Any]:
        """Look something up in a data source.

        Args:
            call: `{"endpoint", "parameters", "window", "journey", "step"}`.

        Returns:
            `{"status", "body"}`.

        Raises:
            ApplicationError: Of the type `names.ERROR_CALL`; its detail is `{code, status, message, body}`.
        """
        return await self._attempt("source", call)

    @activity.defn(name=names.ACTIVITY_ACTION)
    async def action(self, call: dict[str, Any]) -> dict[str, Any]:
        """Perform an action.

        Args:
            call: `{"endpoint", "parameters", "idempotency_key", "window", "journey", "step"}`.

        Returns:
            `{"status", "body"}`.

        Raises:
            ApplicationError: Of the type `names.ERROR_CALL`; its detail is `{code, status, message, body}`.
        """
        return await self._attempt("action", call)

    async def request_preview(
        self, kind: Kind, name: str, parameters: Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> HttpRequest:
        """Return the request that a call would send, with every secret shown as `***`. Nothing is sent.

        Args:
            kind: `source` or `action`.
            name: The endpoint's name.
            parameters: The call's parameters.
            idempotency_key: What an action would send as `Idempotency-Key`.

        Raises:
            CallError: `refused`, if such a call would be.
        """
        endpoint = await self._endpoint(kind, name, parameters)
        if endpoint.definition.python is not None:
            raise refused(f"the {kind} {name} is a Python function, which sends no request of Sojourn's")
        secrets = MaskedSecrets()
        key = idempotency_key if kind == "action" else None
        request = build_request(endpoint, parameters, secrets=secrets, idempotency_key=key)
        return authentication.preview(endpoint.definition.auth, request, secrets)

    async def call(
        self,
        kind: Kind,
        name: str,
        parameters: Mapping[str, Any],
        *,
        window: float,
        idempotency_key: str | None = None,
    ) -> dict[str, Any]:
        """Make one call, outside of any activity: one attempt.

        Args:
            kind: `source` or `action`.
            name: The endpoint's name.
            parameters: The call's parameters.
            window: Seconds that it may take.
            idempotency_key: Sent by actions as `Idempotency-Key`.

        Returns:
            `{"status", "body"}`.

        Raises:
            CallError: It did not succeed.
        """
        try:
            # Tokens and shared answers are waited for as well, so the whole is bounded, not the request
            # alone.
            async with asyncio.timeout(window):
                endpoint = await self._endpoint(kind, name, parameters)
                if kind == "source" and endpoint.definition.cache:
                    return await self._shared(endpoint, parameters)
                key = idempotency_key if kind == "action" else None
                return await self._request(endpoint, parameters, key, window)
        except TimeoutError:
            raise CallError(TIMED_OUT, f"no answer within {window:g} s") from None

    async def _attempt(self, kind: Kind, call: dict[str, Any]) -> dict[str, Any]:
        """Run one attempt of an activity: what fails goes to Temporal, which makes the next one."""
        name, parameters, key = (
            call.get("endpoint"),
            call.get("parameters") or {},
            call.get("idempotency_key"),
        )
        total = call.get("window", DEFAULT_WINDOW)
        if (
            not isinstance(name, str)
            or not isinstance(parameters, dict)
            or not isinstance(total, (int, float))
        ):
            raise refused("the call is not one of Sojourn's journeys", expected=False).application_error(None)
        window = Window(float(total), self._memory)
        begin(call)
        try:
            if window.remaining() <= 0:
                raise window.timed_out()
            if kind == "action":
                await self._turn(name, parameters, window)
            result = await self.call(
                kind,
                name,
                parameters,
                window=window.remaining(),
                idempotency_key=None if key is None else str(key),
            )
            check_size(result)
            return result
        except MustQueue:
            raise
        except CallError as error:
            # Only the end of the window ends an attempt by time; what came before it is the better story.
            failure = window.timed_out() if error.code == TIMED_OUT else error
            if error.code in {CAPPED, EXPIRED}:
                failure = window.behind(error)
        except Exception as error:
            logger.error("%s %s of %s could not be made: %s", kind, name, place(call), trace(error))
            message = f"the call could not be made ({type(error).__name__}); the worker's log says more"
            failure = refused(message, expected=False)
        failure, delay = window.after(failure)
        log_failure(kind, name, call, failure, window.attempt, delay)
        if self._observer is not None:
            self._observer.failed(failure_of(kind, name, call, failure, window.attempt, final=delay is None))
        # Raised here, where no other exception is its context: those may quote a URL with a key in it.
        raise failure.application_error(delay)

    async def _turn(self, name: str, parameters: Mapping[str, Any], window: Window) -> None:
        """See that an action is called at its turn, where it is throttled."""
        try:
            async with asyncio.timeout(window.remaining()):
                endpoint = await self._endpoint("action", name, parameters)
        except TimeoutError:
            raise window.timed_out() from None
        check_queued(endpoint.definition, window)

    async def _endpoint(self, kind: Kind, name: str, parameters: Mapping[str, Any]) -> PreparedEndpoint:
        """Return the endpoint for a call: as it was published last, if the parameters do not fit the known one.

        A journey may come to a worker before the endpoint that was published with it.
        """
        try:
            known = await self._newest(kind, name)
            known.check(parameters)
        except CallError as error:
            if error.code != REFUSED:
                raise
            return await self._newest(kind, name, newest=True)
        return known

    async def _newest(self, kind: Kind, name: str, *, newest: bool = False) -> PreparedEndpoint:
        definition: EndpointDefinition | None
        try:
            definition = await self.endpoints.endpoint(kind, name, newest=newest)
        except Exception as error:
            logger.debug("the endpoints cannot be read: %s", trace(error))
            message = f"the endpoints cannot be read at the moment ({type(error).__name__})"
            raise CallError(NETWORK, message, retryable=True, expected=False) from None
        definition = definition or self._functions.definition(kind, name)
        if definition is None:
            raise refused(f"there is no {kind} {name}: publish a project that defines it", expected=False)
        return self._prepared.prepare(definition)

    async def _shared(self, endpoint: PreparedEndpoint, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Look something up once for all that ask for the same at the same time or soon after."""
        seconds = endpoint.definition.cache or 0.0
        text = json.dumps([endpoint.fingerprint, dict(parameters)], sort_keys=True)
        key = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

        async def make() -> tuple[dict[str, Any], float]:
            return await self._request(endpoint, parameters, None, SHARED_TIMEOUT), seconds

        result: dict[str, Any] = await self._results.get(key, make)
        return result

    async def _request(
        self, endpoint: PreparedEndpoint, parameters: Mapping[str, Any], key: str | None, within: float
    ) -> dict[str, Any]:
        """Build, authenticate and send a request; read the answer. No secret leaves this function."""
        secrets = CallSecrets(self._secrets)
        try:
            if endpoint.definition.python is not None:
                await self._caps.require(endpoint.definition)
                result = await self._functions.call(endpoint, parameters, key, within, secrets)
            else:
                request = build_request(endpoint, parameters, secrets=secrets, idempotency_key=key)
                await self._caps.require(endpoint.definition)
                response = await self._send(endpoint.definition, request, secrets, within)
                result = read_result(response, endpoint.response)
        except CallError as error:
            failure = error.masked(secrets.mask.value)
        else:
            shown: dict[str, Any] = secrets.mask.value(result)
            return shown
        raise failure

    async def _send(
        self, definition: EndpointDefinition, request: HttpRequest, secrets: CallSecrets, within: float
    ) -> HttpResponse:
        """Send a request with credentials; once more with a new token if the one in use is refused."""
        owner, auth = definition.id, definition.auth
        ready, token = await self._authenticator.authenticate(owner, auth, request, secrets)
        response = await self._transport.send(owner, ready, within)
        refused_token = response.status == _UNAUTHORIZED and token is not None
        if refused_token and await self._caps.allow(definition):
            ready, _ = await self._authenticator.authenticate(owner, auth, request, secrets, refuse=token)
            response = await self._transport.send(owner, ready, within)
        return response
