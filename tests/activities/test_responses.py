from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from sojourn.activities.errors import CallError
from sojourn.activities.http.response import MAX_DEPTH, MAX_ERROR_BODY, read_result, retry_after
from sojourn.activities.http.wire import HttpResponse
from sojourn.activities.validation import SchemaCheck

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


def response(body: bytes, status: int = 200, **headers: str) -> HttpResponse:
    """An answer with a body."""
    return HttpResponse(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, None),
        ("0", 0.0),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("1.5", None),
        ("-1", None),
        ("soon", None),
        ("", None),
        ("٣", None),
        ("9" * 400, 999999999.0),
        ("Mon, 23 Nov 2026 12:00:30 GMT", 30.0),
        ("Monday, 23-Nov-26 12:00:30 GMT", 30.0),
        ("Mon Nov 23 12:00:30 2026", 30.0),
        ("Mon, 23 Nov 2026 11:00:00 GMT", 0.0),
        ("Mon, 23 Nov 2026 13:00:30 +0100", 30.0),
        ("Mon, 99 Nov 2026 12:00:30 GMT", None),
        ("NaN", None),
        ("inf", None),
        ("1e3", None),
        ("-inf", None),
        ("+5", None),
        ("0x10", None),
        ("5, 7", None),
        ("Mon, 23 Nov 99999 12:00:30 GMT", None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 251606865599.0),
        ("Mon, 23 Nov 2026 12:00:30 +9999999", None),
    ],
)
def test_retry_after_has_two_forms(text: str | None, expected: float | None) -> None:
    """Seconds and all three forms of HTTP dates are understood; anything else counts as absent."""
    assert retry_after(text, NOW) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"a": [1, 2.5, null, true, "x"]}', {"a": [1, 2.5, None, True, "x"]}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b" [] ", []),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b"1e308", 1e308),
        (b"12345678901234567890123", 12345678901234567890123),
        (b'{"__proto__": 1, "": 2}', {"__proto__": 1, "": 2}),
        (b'"text"', "text"),
        (b"", None),
        (b"  \n", None),
        ('"\\ud83d\\ude00 é"'.encode(), "😀 é"),
        (b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, json.loads("[" * MAX_DEPTH + "]" * MAX_DEPTH)),
    ],
)
def test_json_answers_are_results(body: bytes, expected: Any) -> None:
    """Any JSON value is a body; an empty answer is null."""
    assert read_result(response(body), None) == {"status": 200, "body": expected}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"<html><body>Welcome</body></html>", "HTML"),
        (b"not json", "no JSON"),
        (b"{", "no JSON"),
        (b'{"a": NaN}', "no JSON"),
        (b'{"a": Infinity}', "no JSON"),
        (b'{"a": "\xff"}', "no JSON"),
        ('{"a": 1}'.encode("utf-16"), "no JSON"),
        (b'{"a": "\\ud800"}', "no JSON"),
        (b"[" + b"9" * 5000 + b"]", "no JSON"),
        (b'{"a": 1e999}', "no JSON"),
        (b'{"a": -1' + b"0" * 400 + b".5}", "no JSON"),
        (b'{"a": -Infinity}', "no JSON"),
        (b'{"a": 1} trailing', "no JSON"),
        (b'{"a": 1}{"a": 2}', "no JSON"),
        (b'{"a": 1,}', "no JSON"),
        (b"{'a': 1}", "no JSON"),
        (b'{"a": "line\nbreak"}', "no JSON"),
        (b'\x00{"a": 1}', "no JSON"),
        ('{"a": 1}'.encode("utf-16-le"), "no JSON"),
        ('{"a": 1}'.encode("utf-32"), "no JSON"),
        (b'{"a": "\xed\xa0\x80"}', "no JSON"),
        (b'{"\\udfff": 1}', "no JSON"),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "nested deeper"),
        (b"[" * 500_000, "nested deeper"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested deeper"),
    ],
)
def test_other_answers_are_invalid(body: bytes, says: str) -> None:
    """What is no JSON, or none that can be kept, is `invalid_response`, and the message does not repeat it."""
    with pytest.raises(CallError, match=says) as caught:
        read_result(response(body), None)
    assert (caught.value.code, caught.value.status, caught.value.retryable) == (
        "invalid_response",
        200,
        False,
    )
    assert "Welcome" not in caught.value.message


@pytest.mark.parametrize(
    ("status", "retryable"),
    [
        *((status, False) for status in (300, 304, 400, 401, 402, 403, 404, 405, 409, 410, 413, 422, 451)),
        *((status, True) for status in (408, 425, 429, 500, 501, 502, 503, 504, 507, 599)),
    ],
)
def test_statuses_decide_about_another_attempt(status: int, retryable: bool) -> None:
    """408, 425, 429 and all server errors may pass; other statuses are answers to stay with."""
    with pytest.raises(CallError) as caught:
        read_result(response(b'{"why": "because"}', status, retry_after="3"), None)
    error = caught.value
    assert (error.code, error.status, error.retryable) == (f"http_{status}", status, retryable)
    assert error.body == {"why": "because"}
    assert error.retry_after == (3.0 if retryable else None)


@pytest.mark.parametrize("status", [200, 201, 202, 203, 206, 299])
def test_all_statuses_of_success_are_results(status: int) -> None:
    """Every 2xx is a success, with its status."""
    assert read_result(response(b"{}", status), None) == {"status": status, "body": {}}


@pytest.mark.parametrize("body", [b"<html>down</html>", b"x" * 100, b'"' + b"x" * MAX_ERROR_BODY + b'"'])
def test_error_bodies_that_cannot_be_kept_are_left_out(body: bytes) -> None:
    """The status of an error counts even if its body is no JSON, or too long to keep."""
    with pytest.raises(CallError) as caught:
        read_result(response(body, 503), None)
    assert (caught.value.code, caught.value.body) == ("http_503", None)


SCHEMA = {
    "type": "object",
    "required": ["email"],
    "properties": {
        "email": {"type": "string", "format": "email"},
        "tags": {"type": "array", "items": {"type": "string"}},
    },
    "additionalProperties": {"type": "integer"},
}


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"email": "a@example.com", "tags": ["x"], "n": 1}, None),
        ({}, "the value breaks `required`, email is missing"),
        ([], "the value breaks `type`, it should be object"),
        (None, "the value breaks `type`, it should be object"),
        ({"email": "hunter2"}, "email breaks `format`"),
        ({"email": "a@example.com", "tags": ["x", 7]}, "tags[1] breaks `type`, it should be string"),
        ({"email": "a@example.com", "ann@example.com": "x"}, "* breaks `type`, it should be integer"),
    ],
)
def test_schemas_are_checked_without_telling_the_data(value: Any, problem: str | None) -> None:
    """A problem says where and which keyword, never the value, nor a name that may be data."""
    assert SchemaCheck(SCHEMA).problem(value) == problem


def test_an_answer_that_breaks_its_schema_is_invalid() -> None:
    """The schema of `response` holds for every successful answer, an empty one included."""
    for body in (b"[]", b""):
        with pytest.raises(CallError, match="does not fit the endpoint's `response`") as caught:
            read_result(response(body), SchemaCheck(SCHEMA))
        assert (caught.value.code, caught.value.status) == ("invalid_response", 200)


def test_schemas_of_other_documents_are_not_fetched() -> None:
    """A schema that refers to an address makes no request; it is simply not usable."""
    with pytest.raises(ValueError, match="schema"):
        SchemaCheck({"$ref": "http://127.0.0.1:1/schema.json"})
