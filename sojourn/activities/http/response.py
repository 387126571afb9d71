"""Reading answers: what of them is a result, and what is an error."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn, Protocol

from sojourn.activities.errors import INVALID_RESPONSE, CallError, http_code
from sojourn.activities.http.wire import HttpResponse
from sojourn.contract.json_values import deeper_than

MAX_DEPTH = 64
"""Deepest nesting of an answer's JSON. What comes later walks it recursively."""

MAX_ERROR_BODY = 32 * 1024
"""Largest body of an error answer that is kept for `journey.last_error.body`, in bytes."""

MAX_RESULT = 512 * 1024
"""Most bytes of a result as Temporal's default converter writes it, which escapes what is not ASCII: an instance keeps
no more than that, and a payload above 2 MB would fail the same workflow task for ever."""

_RETRIED = frozenset({408, 425, 429})


class Validator(Protocol):
    """Checks a value against a JSON Schema."""

    def problem(self, value: Any) -> str | None:
        """Return what is wrong, without the value itself, or None."""
        ...


def read_result(response: HttpResponse, validator: Validator | None) -> dict[str, Any]:
    """Return what becomes `steps.<id>`: `{status, body}`.

    Args:
        response: The answer.
        validator: Checks the body; None if the endpoint does not describe it.

    Returns:
        The status and the body; an empty answer has the body None.

    Raises:
        CallError: The status is an error's (`http_<status>`), or the body is not what it should be
            (`invalid_response`).
    """
    status = response.status
    if not 200 <= status < 300:
        raise _status_error(response)
    body = parse_json(response) if response.body.strip() else None
    problem = validator.problem(body) if validator else None
    if problem:
        raise CallError(
            INVALID_RESPONSE, f"the answer does not fit the endpoint's `response`: {problem}", status=status
        )
    return {"status": status, "body": body}


def _status_error(response: HttpResponse) -> CallError:
    status = response.status
    body = None
    if len(response.body) <= MAX_ERROR_BODY:
        try:
            body = parse_json(response)
        except CallError:
            body = None
    retryable = is_retryable(status)
    return CallError(
        http_code(status),
        f"the answer is HTTP {status}",
        status=status,
        body=body,
        retryable=retryable,
        retry_after=retry_after(response.headers.get("retry-after")) if retryable else None,
    )


def is_retryable(status: int) -> bool:
    """Say whether another attempt may bring another answer: server errors, 408, 425 and 429."""
    return status >= 500 or status in _RETRIED


def retry_after(text: str | None, now: datetime | None = None) -> float | None:
    """Return the seconds that a `Retry-After` header asks to wait, or None if it says nothing usable.

    Args:
        text: The header's value: seconds, or an HTTP date.
        now: The time that a date is compared with; the present if left out.
    """
    if text is None:
        return None
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - (now or datetime.now(UTC))).total_seconds())


def parse_json(response: HttpResponse) -> Any:
    """Return the JSON of a body.

    Raises:
        CallError: It is none that can be kept.
    """
    try:
        text = response.body.decode("utf-8-sig")
        value = json.loads(text, parse_constant=_no_constant, parse_float=_finite)
        if "\\u" in text:
            # Half of a surrogate pair can be written in JSON, but not stored as text anywhere else.
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        return _invalid(response, f"the answer's JSON is nested deeper than {MAX_DEPTH} levels")
    except ValueError:
        pass
    else:
        if deeper_than(value, MAX_DEPTH):
            _invalid(response, f"the answer's JSON is nested deeper than {MAX_DEPTH} levels")
        return value
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    what = "HTML" if kind == "text/html" or response.body.lstrip()[:1] == b"<" else "no JSON"
    return _invalid(response, f"the answer is {what}, where JSON is expected")


def _invalid(response: HttpResponse, message: str) -> NoReturn:
    raise CallError(INVALID_RESPONSE, message, status=response.status)


def _finite(text: str) -> float:
    """Return a number; one that is too large for what JSON is kept in would become Infinity, which is no JSON."""
    value = float(text)
    if math.isinf(value):
        raise ValueError(text)
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def check_size(result: dict[str, Any]) -> None:
    """Refuse a result that Temporal or an instance could not take.

    Raises:
        CallError: It is too large. The call was made, and is not made again.
    """
    size = len(json.dumps(result, separators=(",", ":")))
    if size > MAX_RESULT:
        message = (
            f"the answer takes {size // 1024} kB in Temporal and at most {MAX_RESULT // 1024} kB are taken; "
            "ask for less"
        )
        raise CallError(INVALID_RESPONSE, message, status=result.get("status"))
