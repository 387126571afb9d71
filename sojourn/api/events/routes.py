"""`POST /v1/events`: events come in."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from sojourn.api import examples
from sojourn.api.auth import requires
from sojourn.api.bodies import content_type, parse_json, wrong_content_type
from sojourn.api.dependencies import context_of
from sojourn.api.events import cloudevents
from sojourn.api.models import EventResults
from sojourn.api.problems import kinds
from sojourn.api.problems.errors import ProblemError, openapi_responses, unavailable
from sojourn.api.responses import JSON, json_response
from sojourn.contract.answers import answer, refused
from sojourn.contract.event_result import Violation
from sojourn.contract.incoming_event import Envelope, EnvelopeError, kind_of, read_event
from sojourn.contract.json_values import may_overflow
from sojourn.routing import EventResult, RoutingUnavailable

ACCEPTED = [JSON, cloudevents.STRUCTURED, cloudevents.BATCH]

_authorize = requires("events")


class _DirectRoute(APIRoute):
    """A route that hands the request straight to its operation.

    The operation takes nothing but the request, so looking for what else it could want at each request would
    cost as much as reading the event.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what serves a request."""
        operation: Callable[[Request], Coroutine[Any, Any, Response]] = self.endpoint
        return operation


router = APIRouter(tags=["events"], route_class=_DirectRoute)


@router.post(
    "/v1/events",
    status_code=202,
    response_model=EventResults,
    summary="Send events",
    responses={
        202: {"description": "Temporal has durably what it is to get."},
        **openapi_responses(*kinds.GUARDED, *kinds.WITH_BODY, kinds.INVALID_EVENT, kinds.TOO_MANY_EVENTS),
    },
    openapi_extra=examples.EVENTS_REQUEST,
)
async def post_events(request: Request) -> Response:
    """Takes one event, a list of events, or CloudEvents 1.0 (structured, batched or binary).

    Each event has its own result, in the order in which they were sent. In a list, an event that is none is
    refused with the reason `invalid`, and the others go through. Sending an event again with the same id is
    harmless.
    """
    await _authorize(request)
    parts = context_of(request)
    items = await _read(request, parts.settings.max_batch)
    envelopes = [item for item in items if isinstance(item, Envelope)]
    try:
        results: Sequence[EventResult | None] = await parts.router.route(
            [envelope.event for envelope in envelopes]
        )
    except RoutingUnavailable as error:
        done = [*error.done, *[None] * (len(envelopes) - len(error.done))]
        advice = "Send again what `results` calls unavailable, with the ids given there."
        raise unavailable(error, advice, results=_answers(items, done)) from None
    return json_response({"results": _answers(items, results)}, 202)


async def _read(request: Request, max_batch: int) -> list[Envelope | EnvelopeError]:
    """Read what was sent, in whichever form.

    Raises:
        ProblemError: It is none of the forms, or is a single event that is none.
    """
    media_type = content_type(request)
    if media_type in ACCEPTED[1:]:
        read, batch = cloudevents.read_cloud_event, media_type == cloudevents.BATCH
    elif cloudevents.is_binary(request.headers.raw):
        return [await _read_binary(request, media_type)]
    elif media_type == JSON:
        read, batch = read_event, None
    else:
        raise wrong_content_type(media_type, ACCEPTED)
    body = await request.body()
    parsed = parse_json(body, "an event, or a list of events,")
    if batch is None:
        batch = isinstance(parsed, list)
    check = may_overflow(body)
    if not batch:
        try:
            return [read(parsed, may_overflow=check)]
        except EnvelopeError as error:
            raise _invalid(error) from None
    if not isinstance(parsed, list):
        raise _invalid(
            EnvelopeError([Violation("", f"must be a list, and is {kind_of(parsed)}")], None, None)
        )
    if len(parsed) > max_batch:
        raise ProblemError(
            kinds.TOO_MANY_EVENTS,
            f"The batch holds {len(parsed):,} events, and {max_batch:,} are allowed. Send them in several "
            "requests.",
            limit=max_batch,
            count=len(parsed),
        )
    items: list[Envelope | EnvelopeError] = []
    for item in parsed:
        try:
            items.append(read(item, may_overflow=check))
        except EnvelopeError as error:
            items.append(error)
    return items


async def _read_binary(request: Request, media_type: str) -> Envelope:
    body = await request.body()
    data = None
    if body:
        if media_type != JSON and not media_type.endswith("+json"):
            raise wrong_content_type(media_type, [JSON])
        data = parse_json(body, "the data")
    try:
        return cloudevents.read_binary(request.headers.raw, data, may_overflow=may_overflow(body))
    except EnvelopeError as error:
        raise _invalid(error) from None


def _invalid(error: EnvelopeError) -> ProblemError:
    return ProblemError(
        kinds.INVALID_EVENT,
        f"This is not an event: {error}.",
        violations=[violation.as_dict() for violation in error.violations],
    )


def _answers(
    items: Sequence[Envelope | EnvelopeError], results: Sequence[EventResult | None]
) -> list[dict[str, Any]]:
    """Return the result of each item as JSON, in order; `results` are those of the envelopes among them."""
    left = iter(results)
    return [refused(item) if isinstance(item, EnvelopeError) else answer(item, next(left)) for item in items]
