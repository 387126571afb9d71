"""Every kind of problem that the API answers with: one table.

Each kind has a `type` that never changes its meaning. The page `docs/reference/problems.md`, the answers in
the OpenAPI document and `GET /problems/…` are made from here.
"""

from __future__ import annotations

from sojourn.api.problems.operations import INSTANCE_ENDED, NO_DRAFT, NOT_IN_THIS_STATE, UNKNOWN_OPERATION
from sojourn.api.problems.types import TYPES, ProblemType, define

__all__ = ["INSTANCE_ENDED", "NOT_IN_THIS_STATE", "NO_DRAFT", "TYPES", "UNKNOWN_OPERATION", "ProblemType"]

RETRY_AFTER = 2
"""Seconds that a client is asked to wait after a 503."""

INVALID_JSON = define(
    ProblemType(
        "invalid-json",
        400,
        "The body is not JSON",
        "Correct the body at the line and column given (both count from 1). JSON has no NaN and no "
        "Infinity, and nesting ends at 200 levels.",
        'The body is not JSON: a value should stand here, at line 1, column 22. JSON looks like {"name": '
        '"cart.updated"}.',
        {"line": 1, "column": 22},
    )
)
EMPTY_BODY = define(
    ProblemType(
        "empty-body",
        400,
        "The body is empty",
        "Send what the operation expects as JSON.",
        "The request has no body. Send an event, or a list of events, as JSON.",
    )
)
INVALID_ENCODING = define(
    ProblemType(
        "invalid-encoding",
        400,
        "The body cannot be decompressed",
        "Send what gzip wrote, whole and once compressed, or leave out `Content-Encoding`.",
        "Content-Encoding says gzip, but the body is not gzip data.",
    )
)
INVALID_EVENT = define(
    ProblemType(
        "invalid-event",
        422,
        "This is not an event",
        "Correct what `violations` lists: `path` is a JSON pointer into the event. An event is "
        '`{"id": …, "name": …, "time": …, "data": …}`, where `id` and `time` may be left out, or a '
        "CloudEvent.",
        "The event is not one: /time: 2026-03-01T10:00:00 says no offset from UTC; write "
        "2026-03-01T10:00:00Z if it is UTC.",
        {
            "violations": [
                {
                    "path": "/time",
                    "message": "2026-03-01T10:00:00 says no offset from UTC; write 2026-03-01T10:00:00Z if "
                    "it is UTC",
                }
            ]
        },
    )
)
INVALID_REQUEST = define(
    ProblemType(
        "invalid-request",
        422,
        "The request does not fit the operation",
        "Correct what `violations` lists: `path` is a JSON pointer into the body, or the name of a "
        "parameter.",
        "The request does not fit: /files: is missing.",
        {"violations": [{"path": "/files", "message": "is missing"}]},
    )
)
INVALID_PROFILE = define(
    ProblemType(
        "invalid-profile",
        422,
        "The profile cannot be kept like this",
        "Correct what `violations` lists: `path` is a JSON pointer into the body, `/key` the profile key. What is "
        "checked is the whole profile as it would be afterwards. Nothing was written.",
        "The profile cannot be kept like this: /attributes/email: is a number; write a text.",
        {"violations": [{"path": "/attributes/email", "message": "is a number; write a text"}]},
    )
)
INVALID_DEFINITIONS = define(
    ProblemType(
        "invalid-definitions",
        422,
        "The definitions cannot be published",
        "Correct what `problems` lists, each with file, line, column and a stable code. Nothing was "
        "published.",
        "1 problem stands against publishing. The first: journeys/cart-abandonment.yaml:2:16: E304 entry.event: "
        "There is no event `cart.update`.",
        {
            "problems": [
                {
                    "code": "E304",
                    "severity": "error",
                    "file": "journeys/cart-abandonment.yaml",
                    "line": 2,
                    "column": 16,
                    "field": "entry.event",
                    "message": "There is no event `cart.update`",
                    "hint": "Did you mean `cart.updated`?",
                }
            ]
        },
    )
)
TOO_LARGE = define(
    ProblemType(
        "too-large",
        413,
        "The body is too large",
        "Send less at once: `limit` is the largest body in bytes, also counted after decompression. Large "
        "batches can be split into several.",
        "The body is larger than 1,048,576 bytes. Split the batch.",
        {"limit": 1048576},
    )
)
TOO_MANY_EVENTS = define(
    ProblemType(
        "too-many-events",
        413,
        "The batch holds too many events",
        "Split the batch: `limit` is the most events in one request. None of its events was taken.",
        "The batch holds 1,001 events, and 1,000 are allowed. Send them in several requests.",
        {"limit": 1000, "count": 1001},
    )
)
TOO_MANY_PROFILES = define(
    ProblemType(
        "too-many-profiles",
        413,
        "The request names too many profiles",
        "Split it: `limit` is the most profiles in one request. Nothing was read or written.",
        "The request names 1,001 profiles, and 1,000 are allowed. Send several requests.",
        {"limit": 1000, "count": 1001},
    )
)
WRONG_CONTENT_TYPE = define(
    ProblemType(
        "wrong-content-type",
        415,
        "The Content-Type is not one that the operation reads",
        "Send one of the types in `accepted`, in UTF-8.",
        "The Content-Type is text/plain. Send application/json.",
        {"accepted": ["application/json"]},
        {"Accept": "application/json"},
    )
)
WRONG_CONTENT_ENCODING = define(
    ProblemType(
        "wrong-content-encoding",
        415,
        "The Content-Encoding is not one that the API reads",
        "Send the body as it is, or compressed once with gzip.",
        "The Content-Encoding is br. Send gzip, or no Content-Encoding.",
        {"accepted": ["gzip"]},
        {"Accept-Encoding": "gzip"},
    )
)
UNAUTHORIZED = define(
    ProblemType(
        "unauthorized",
        401,
        "An API key is needed",
        "Send `Authorization: Bearer sjk_…` with a key that `sojourn keys create` printed and that was not "
        "revoked.",
        "The request carries no API key. Send the header Authorization: Bearer sjk_…",
        {},
        {"WWW-Authenticate": 'Bearer realm="sojourn"'},
    )
)
MISSING_SCOPE = define(
    ProblemType(
        "missing-scope",
        403,
        "The API key lacks a scope",
        "Use a key with the scope in `scope`: `events` sends events and writes profiles, `read` reads, `operate` "
        "publishes, steers, erases, reads and writes profiles.",
        "This operation needs the scope operate; the key has the scope events.",
        {"scope": "operate"},
    )
)
LOCAL_ONLY = define(
    ProblemType(
        "local-only",
        403,
        "Without API keys only this machine is served",
        "Create a key with `sojourn keys create` on the machine of the API and send it, or call the API "
        "from that machine.",
        "No API key exists yet, so only requests from this machine are answered.",
    )
)
NOT_FOUND = define(
    ProblemType(
        "not-found",
        404,
        "There is nothing at this path",
        "Look the path up in the API's own reference at `/docs`.",
        "There is nothing at /v1/event. The operations are listed at /docs.",
    )
)
UNKNOWN_JOURNEY = define(
    ProblemType(
        "unknown-journey",
        404,
        "No such journey",
        "Look the name up with `GET /v1/journeys`. A journey is there once it was published.",
        "No journey is named cart-abandoned. The nearest name is cart-abandonment.",
    )
)
UNKNOWN_VERSION = define(
    ProblemType(
        "unknown-version",
        404,
        "No such version of the journey",
        "Look the versions up with `GET /v1/journeys/{name}`.",
        "The journey cart-abandonment has no version 7. Its latest is 3.",
        {"latest": 3},
    )
)
UNKNOWN_INSTANCE = define(
    ProblemType(
        "unknown-instance",
        404,
        "No such instance",
        "Look the id up with `GET /v1/instances`. Temporal forgets ended instances when its retention is "
        "over.",
        "No instance has the id cart-abandonment:cust-1.",
    )
)
UNKNOWN_ENDPOINT = define(
    ProblemType(
        "unknown-endpoint",
        404,
        "No such endpoint",
        "Look kind and name up with `GET /v1/endpoints`. An endpoint is there once a project that defines it was "
        "published.",
        "No action is named email.sent. The nearest name is email.send.",
    )
)
UNKNOWN_PROFILE = define(
    ProblemType(
        "unknown-profile",
        404,
        "No such profile",
        "Write the profile first, with `PUT` or `PATCH`. Journeys see an empty one meanwhile.",
        "No profile has the key cust-1.",
    )
)
VERSION_CONFLICT = define(
    ProblemType(
        "version-conflict",
        412,
        "The profile has another version",
        "Read the profile again, decide again, and send the version that you read. Nothing was written. "
        "`version` is null where there is no such profile.",
        "The profile has version 4, and the request wants another one.",
        {"version": 4},
    )
)
WRONG_METHOD = define(
    ProblemType(
        "wrong-method",
        405,
        "The path does not have this method",
        "Use one of the methods in the header `Allow`.",
        "DELETE is not a method of /v1/events. Use POST.",
        {},
        {"Allow": "POST"},
    )
)
UNAVAILABLE = define(
    ProblemType(
        "unavailable",
        503,
        "Temporal or the database cannot be reached",
        "Send the same request again after `Retry-After` seconds. For events, `results` says what became "
        "of each: those with "
        "the status `unavailable` are not known to be done. Send them again with the ids given there; then "
        "nothing happens twice.",
        "Temporal cannot be reached. Send the same events again, with their ids.",
        {
            "results": [
                {
                    "id": "evt-1",
                    "name": "cart.updated",
                    "status": "unavailable",
                    "protected": True,
                    "instances": [],
                    "refusals": [],
                }
            ]
        },
        {"Retry-After": str(RETRY_AFTER)},
    )
)
NOT_READY = define(
    ProblemType(
        "not-ready",
        503,
        "The API is not ready",
        "Wait, or start what `checks` says is away. The API recovers by itself.",
        "Not ready: temporal.",
        {"checks": {"database": "ok", "temporal": "cannot be reached"}},
        {"Retry-After": str(RETRY_AFTER)},
    )
)
INTERNAL_ERROR = define(
    ProblemType(
        "internal-error",
        500,
        "Something went wrong in the API",
        "Report it with the `correlation` id: the API's log has the cause under it. Sending events again, "
        "with their ids, is safe.",
        "The API failed on this request. Its log says why under 4f0b7c52d1e84b3f.",
        {"correlation": "4f0b7c52d1e84b3f"},
    )
)
REQUEST_REFUSED = define(
    ProblemType(
        "request-refused",
        400,
        "The request cannot be answered",
        "Correct the request as the detail says.",
        "The request cannot be answered.",
    )
)

GUARDED = (UNAUTHORIZED, MISSING_SCOPE, LOCAL_ONLY, UNAVAILABLE, INTERNAL_ERROR)
"""What every operation that asks for a key may answer."""

WITH_BODY = (
    EMPTY_BODY,
    INVALID_JSON,
    INVALID_ENCODING,
    TOO_LARGE,
    WRONG_CONTENT_TYPE,
    WRONG_CONTENT_ENCODING,
)
"""What every operation that reads a body may answer."""
