from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.activities.auth.secrets import CallSecrets, Secrets
from sojourn.activities.endpoint import PreparedEndpoint
from sojourn.activities.errors import CallError
from sojourn.activities.http.connection_guard import AddressGuard
from sojourn.activities.http.request import build_request
from sojourn.activities.http.transport import Transport
from sojourn.activities.http.wire import HttpRequest
from sojourn.definitions import EndpointDefinition
from tests.activities.server import Server, answer

TEXT = {"type": "string"}
OPTIONAL = {"type": "string", "optional": True}
BASE = "https://crm.example/v1"


def endpoint(kind: str = "source", url: str = BASE, **fields: Any) -> PreparedEndpoint:
    """An endpoint as the store hands it out."""
    return PreparedEndpoint(EndpointDefinition.load({"kind": kind, "name": "crm.x", "url": url, **fields}))


def build(prepared: PreparedEndpoint, key: str | None = None, /, **parameters: Any) -> HttpRequest:
    """The request of a call."""
    secrets = Secrets(["TOKEN"], environment={"TOKEN": "hunter2"})
    return build_request(prepared, parameters, secrets=CallSecrets(secrets), idempotency_key=key)


def refusal(prepared: PreparedEndpoint, **parameters: Any) -> str:
    """What a call is refused for."""
    with pytest.raises(CallError) as caught:
        build(prepared, **parameters)
    assert (caught.value.code, caught.value.retryable) == ("refused", False)
    return caught.value.message


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("42", "/v1/customers/42"),
        ("a b", "/v1/customers/a%20b"),
        ("a/b", "/v1/customers/a%2Fb"),
        ("a?x=1&y#z", "/v1/customers/a%3Fx%3D1%26y%23z"),
        ("Zoë", "/v1/customers/Zo%C3%AB"),
        ("50%", "/v1/customers/50%25"),
        ("%2f", "/v1/customers/%252f"),
        ("a;b=c", "/v1/customers/a%3Bb%3Dc"),
        ("x@evil.example", "/v1/customers/x%40evil.example"),
        ("//evil.example/", "/v1/customers/%2F%2Fevil.example%2F"),
        ("a..b", "/v1/customers/a..b"),
    ],
)
def test_path_parameters_stay_in_their_segment(value: str, path: str) -> None:
    """Whatever a parameter holds, it is one encoded segment of the path, at the host of the definition."""
    request = build(endpoint(url=BASE + "/customers/{id}", parameters={"id": TEXT}), id=value)
    assert request.url == "https://crm.example" + path


HOSTILE = [
    "..",
    ".",
    "../admin",
    "a/../../admin",
    "..\\admin",
    "a/./b",
    "%2e%2e",
    "%2E%2E%2Fadmin",
    "%252e%252e/x",
]
HOSTILE += ["", " ", "a\r\nb", "a\x00", "a\tb", "\ud800"]


@pytest.mark.parametrize("value", HOSTILE)
def test_path_parameters_that_lead_elsewhere_are_refused(value: str) -> None:
    """Dots that climb, however encoded, nothing at all, and control characters make no request."""
    prepared = endpoint(url=BASE + "/customers/{id}/orders", parameters={"id": TEXT})
    assert "id" in refusal(prepared, id=value)


@given(value=st.text(min_size=1, max_size=30))
def test_no_text_changes_where_a_request_goes(value: str) -> None:
    """For any text, the request goes to the same host and below the same path, or is refused."""
    prepared = endpoint(url=BASE + "/c/{id}/o?q={q}&z=1", parameters={"id": TEXT, "q": TEXT, "h": OPTIONAL})
    try:
        request = build(prepared, id=value, q=value)
    except CallError:
        return
    parts = urlsplit(request.url)
    assert (parts.scheme, parts.netloc, parts.fragment) == ("https", "crm.example", "")
    segments = parts.path.split("/")
    assert [segments[:3], segments[4:]] == [["", "v1", "c"], ["o"]]
    assert unquote(segments[3]) == value
    assert parse_qsl(parts.query, keep_blank_values=True) == [("q", value), ("z", "1")]


@pytest.mark.parametrize(
    "value", ["a/b", "Zoë", "50%", "a b+c", "~'()*!", "a;b", "a&b=c", "{x}", "[1]", '"', "€😀", "a\\b"]
)
async def test_what_is_built_is_what_arrives(value: str) -> None:
    """No layer below changes the encoding: the server sees exactly the target that was built."""
    async with Server([answer({})]) as server:
        prepared = endpoint(url=server.url("/c/{id}?q={id}"), parameters={"id": TEXT}, query={"r": "${id}"})
        request = build(prepared, id=value)
        transport = Transport(AddressGuard(["127.0.0.1"]))
        await transport.send("x", request, 5)
        await transport.aclose()
        assert server.url(server.requests[0].target) == request.url
    query = dict(parse_qsl(urlsplit(request.url).query))
    assert query == {"q": value, "r": value}


@pytest.mark.parametrize(
    ("value", "text"),
    [(5, "5"), (5.0, "5"), (1.5, "1.5"), (True, "true"), (False, "false"), (10**20, str(10**20))],
)
def test_single_values_are_written_as_json_writes_them(value: Any, text: str) -> None:
    """Numbers and booleans in paths, queries, headers and forms are written as people expect."""
    prepared = endpoint(
        "action",
        url=BASE + "/{v}",
        parameters={"v": {}},
        query={"q": "${v}"},
        headers={"X-V": "${v}"},
        form={"f": "${v}"},
    )
    request = build(prepared, v=value)
    assert request.url == f"{BASE}/{text}?q={text}"
    assert dict(request.headers)["X-V"] == text
    assert request.body == f"f={text}".encode()


def test_query_parameters_come_from_everywhere() -> None:
    """Those of the URL, constants, templates, lists, secrets, and what nothing else uses; null is left out."""
    prepared = endpoint(
        url=BASE + "/s?fixed=1&p={p}",
        parameters={"p": TEXT, "q": TEXT, "tags": {}, "rest": {}, "none": OPTIONAL},
        query={
            "c": "x y",
            "n": 5,
            "t": "<${q}>",
            "tag": "${tags}",
            "o": "${none}",
            "key": {"secret": "TOKEN"},
        },
    )
    request = build(prepared, p="a&b", q="Zoë", tags=["1", 2, None], rest=True)
    assert parse_qsl(urlsplit(request.url).query) == [
        ("fixed", "1"),
        ("p", "a&b"),
        ("c", "x y"),
        ("n", "5"),
        ("t", "<Zoë>"),
        ("tag", "1"),
        ("tag", "2"),
        ("key", "hunter2"),
        ("rest", "true"),
    ]
    assert (request.method, request.body) == ("GET", None)


def test_bodies_keep_types_and_leave_out_what_was_not_given() -> None:
    """A whole `${...}` keeps its type; an optional parameter is left out if not given, and null if given as null."""
    prepared = endpoint(
        "action",
        parameters={
            "to": TEXT,
            "items": {"type": "array"},
            "a": OPTIONAL,
            "b": OPTIONAL,
            "c": {"default": 7},
        },
        body={
            "to": "${to}",
            "first": "${items[0].sku}",
            "skus": "${items.map(i, i.sku)}",
            "nested": {
                "all": "${items}",
                "a": "${a}",
                "greeting": "Hello ${to}, ${a}",
                "list": ["${a}", "${ b }", 1],
            },
            "b": "${b}",
            "c": "${c}",
            "constant": None,
            "price": "$${5}",
        },
    )
    items = [{"sku": "A", "n": 1}, {"sku": "B", "n": 2.5}]
    body = json.loads(build(prepared, to="Zoë", items=items, b=None).body or b"")
    assert body == {
        "to": "Zoë",
        "first": "A",
        "skus": ["A", "B"],
        "nested": {"all": items, "greeting": "Hello Zoë, ", "list": [None, 1]},
        "b": None,
        "c": 7,
        "constant": None,
        "price": "${5}",
    }


def test_a_body_need_not_be_written() -> None:
    """Without a body in the definition, the parameters that nothing else uses are the body."""
    prepared = endpoint(
        "action", url=BASE + "/{id}", parameters={"id": TEXT, "x": {}, "y": {}, "z": OPTIONAL}
    )
    request = build(prepared, id="1", x=[1, {"a": None}], y=1.5)
    assert json.loads(request.body or b"") == {"x": [1, {"a": None}], "y": 1.5}
    assert dict(request.headers)["Content-Type"] == "application/json"


def test_forms() -> None:
    """A form is encoded as browsers do it, with lists as repeated fields and null left out."""
    prepared = endpoint(
        "action",
        parameters={"a": TEXT, "l": {}, "o": OPTIONAL},
        form={"a": "${a}", "l": "${l}", "o": "${o}", "k": {"secret": "TOKEN"}, "n": 1},
    )
    request = build(prepared, a="é &=", l=["x", "y"])
    assert request.body == b"a=%C3%A9+%26%3D&l=x&l=y&k=hunter2&n=1"
    assert dict(request.headers)["Content-Type"] == "application/x-www-form-urlencoded"


def test_a_content_type_of_the_definition_is_kept() -> None:
    """Another JSON type than the usual one can be asked for."""
    prepared = endpoint("action", headers={"content-type": "application/vnd.api+json"}, body={})
    assert build(prepared).headers == (("content-type", "application/vnd.api+json"),)


def test_an_action_carries_its_key() -> None:
    """`Idempotency-Key` is sent once, and a header of that name in the definition does not replace it."""
    prepared = endpoint("action", headers={"idempotency-key": "mine", "X-Token": {"secret": "TOKEN"}})
    headers = build(prepared, "key-1").headers
    assert [value for name, value in headers if name.lower() == "idempotency-key"] == ["key-1"]
    assert ("X-Token", "hunter2") in headers


@pytest.mark.parametrize(
    "value", ["a\r\nX-Evil: 1", "a\nb", "a\rb", "a\x00b", "a\x7f", "Zoë", "a\u2028b", "a\u560ab"]
)
def test_headers_cannot_be_injected(value: str) -> None:
    """A value that would end its header, or that headers cannot hold, is refused, and is not repeated."""
    message = refusal(endpoint(headers={"X-Name": "v ${n}"}, parameters={"n": TEXT}), n=value)
    assert "X-Name" in message
    assert value not in message


@pytest.mark.parametrize("name", ["Host", "content-length", "Transfer-Encoding", "Connection"])
def test_headers_of_the_connection_cannot_be_set(name: str) -> None:
    """A definition that got past publishing still cannot make two readers disagree about the request."""
    prepared = PreparedEndpoint(EndpointDefinition.model_construct(**_parts(headers={name: "x"})))
    assert "cannot be set" in refusal(prepared)


@pytest.mark.parametrize(
    "url", ["https://{h}.example/x", "ftp://crm.example/", "//crm.example/", "https://u:p@crm.example/"]
)
def test_urls_with_another_meaning_are_refused(url: str) -> None:
    """A URL that got past publishing still cannot take its host from a parameter, or hold a password."""
    prepared = PreparedEndpoint(EndpointDefinition.model_construct(**_parts(url=url, parameters={"h": TEXT})))
    refusal(prepared, h="evil")


def _parts(**fields: Any) -> dict[str, Any]:
    whole = EndpointDefinition.load({"kind": "source", "name": "crm.x", "url": BASE})
    return {**{name: getattr(whole, name) for name in EndpointDefinition.model_fields}, **fields}


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({}, "the parameter id of crm.x is missing"),
        ({"id": "1", "typo": 2}, "typo is no parameter of crm.x"),
        ({"id": 5}, "the parameter id does not fit its schema: the value breaks `type`, it should be string"),
        ({"id": None}, "the parameter id does not fit its schema"),
        ({"id": "1", "n": 11}, "the parameter n does not fit its schema: the value breaks `maximum`"),
        ({"id": "1", "n": True}, "the parameter n does not fit its schema"),
        ({"id": "1", "o": {"a": "hunter2"}}, "the parameter o does not fit its schema: a breaks `type`"),
        ({"id": "1", "s": 5}, "the parameter s does not fit its schema"),
    ],
)
def test_parameters_are_checked_before_the_call(parameters: dict[str, Any], says: str) -> None:
    """Missing, unknown and unfitting parameters are refused by name, without their values."""
    prepared = endpoint(
        parameters={
            "id": TEXT,
            "n": {"type": "integer", "maximum": 10, "default": 1},
            "o": {"type": "object", "properties": {"a": {"type": "integer"}}, "optional": True},
            "s": OPTIONAL,
        }
    )
    message = refusal(prepared, **parameters)
    assert message.startswith(says)
    assert "hunter2" not in message


def test_an_optional_parameter_may_be_null() -> None:
    """Null given for an optional parameter is accepted whatever its schema says."""
    assert build(endpoint(parameters={"s": OPTIONAL}), s=None).url == BASE


@pytest.mark.parametrize("value", [[], {}, ["a"], {"a": 1}])
def test_only_single_values_go_into_a_path(value: Any) -> None:
    """Lists and objects in a path are refused."""
    prepared = endpoint(url=BASE + "/{v}", parameters={"v": {}})
    assert "must be a text, a number, true or false" in refusal(prepared, v=value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800"])
def test_what_json_cannot_hold_is_refused(value: Any) -> None:
    """NaN, infinity and halves of characters are refused before they are sent."""
    refusal(endpoint("action", parameters={"v": {}}, body={"v": "${v}"}), v=value)


def test_an_expression_that_fails_is_refused_without_data() -> None:
    """The error says which expression, and holds nothing of the parameter."""
    prepared = endpoint("action", parameters={"o": {}}, body={"v": "${o.name}"})
    message = refusal(prepared, o={"secretname": "hunter2"})
    assert "o.name" in message
    assert "hunter2" not in message
