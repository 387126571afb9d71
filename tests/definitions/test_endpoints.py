"""Sources, actions and events as models: what the store keeps and the activities use."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from sojourn.definitions import EndpointDefinition, EventDefinition, load_texts
from sojourn.definitions.auth.oauth2 import OAuth2Auth
from sojourn.definitions.kinds.endpoint import SecretRef
from tests.definitions.projects import BASE

DOCUMENTS = {
    "bare source": "source: s\nurl: https://x.example.com/\n",
    "basic": "action: a\nurl: https://x.example.com/\nauth: {type: basic, username: bob, password: {secret: P}}\n",
    "api key": "source: s\nurl: https://x.example.com/\nauth: {type: api_key, query: key, value: {secret: K}}\n",
    "oauth2": (
        "source: s\nurl: https://x.example.com/\n"
        "auth: {type: oauth2, token_url: 'https://t.example.com/t', client_id: {secret: I}, client_secret: {secret: S},"
        " scope: a b, credentials: body}\n"
    ),
    "custom": (
        "action: a\nurl: https://x.example.com/\n"
        "auth: {type: custom, token_url: 'https://t.example.com/t', headers: {A: b, C: {secret: D}},"
        " body: {user: me, password: {secret: E}}, token: data.token, cache: 10m, send: {header: X-Token}}\n"
    ),
    "everything": (
        "action: a\ndescription: x\nmethod: PUT\nurl: https://x.example.com/{id}?q={q}\n"
        "parameters: {id: {type: string}, q: {type: [string, 'null'], default: z}, data: {type: object, optional: true}}\n"
        "query: {a: '${q}', n: 1, b: true, s: {secret: Q}}\nheaders: {X-A: '${id}', X-B: {secret: B}}\n"
        "body: {a: null, b: [1, '${data}'], c: {d: 1.5}}\n"
        "cap: {calls: 5, per: 1s}\nthrottle: {calls: 5, per: 1m, expire: 1h}\nresponse: {type: object}\n"
    ),
    "form": "action: a\nurl: https://x.example.com/\nform: {a: x, s: {secret: F}}\n",
    "Python": "action: a\npython: shop.actions:send\nparameters: {to: {type: string}}\nresponse: {type: 'null'}\n",
    "cached": "source: s\nurl: https://x.example.com/\ncache: 90s\n",
}


@pytest.mark.parametrize("text", DOCUMENTS.values(), ids=DOCUMENTS.keys())
def test_dump_and_load(text: str) -> None:
    """What `dump` writes is plain JSON that `load` reads back to the same definition."""
    found = load_texts({"a.yaml": text})
    assert found.errors == []
    (definition,) = found.endpoints.values()
    written = json.loads(json.dumps(definition.dump()))
    assert EndpointDefinition.load(written) == definition
    assert EndpointDefinition.load(written).dump() == definition.dump()


def test_dumped_form() -> None:
    """Durations are seconds, secrets are names, null stays in templates, and what is empty is left out."""
    definition = next(iter(load_texts({"a.yaml": DOCUMENTS["everything"]}).endpoints.values()))
    assert definition.dump() == {
        "kind": "action",
        "name": "a",
        "description": "x",
        "method": "PUT",
        "url": "https://x.example.com/{id}?q={q}",
        "parameters": {
            "id": {"type": "string"},
            "q": {"type": ["string", "null"], "default": "z"},
            "data": {"type": "object", "optional": True},
        },
        "query": {"a": "${q}", "n": 1, "b": True, "s": {"secret": "Q"}},
        "headers": {"X-A": "${id}", "X-B": {"secret": "B"}},
        "body": {"a": None, "b": [1, "${data}"], "c": {"d": 1.5}},
        "auth": {"type": "none"},
        "cap": {"calls": 5, "per": 1.0},
        "throttle": {"calls": 5, "per": 60.0, "expire": 3600.0},
        "response": {"type": "object"},
    }
    assert definition.query["s"] == SecretRef(secret="Q")
    assert definition.headers["X-B"] == SecretRef(secret="B")
    assert definition.secret_names() == {"Q", "B"}
    assert definition.id == "action:a"


def test_auth_is_typed() -> None:
    """The kind of authentication is a type, not a string to compare."""
    definition = next(iter(load_texts({"a.yaml": DOCUMENTS["oauth2"]}).endpoints.values()))
    assert isinstance(definition.auth, OAuth2Auth)
    assert definition.secret_names() == {"I", "S"}


def test_durations_in_the_store_are_numbers_only_there() -> None:
    """A number is a duration in what `dump` wrote, and nowhere else."""
    stored = {"kind": "source", "name": "s", "method": "GET", "url": "https://x.example.com/", "cache": 60}
    assert EndpointDefinition.load(stored).cache == 60
    with pytest.raises(ValidationError):
        EndpointDefinition.model_validate(stored)


def test_methods() -> None:
    """A source is asked by GET and an action done by POST, unless the document says otherwise."""
    texts = {
        "a.yaml": "source: s\nurl: https://x.example.com/\n---\naction: a\nurl: https://x.example.com/\n"
    }
    found = load_texts(texts).endpoints
    assert (found["source:s"].method, found["action:a"].method) == ("GET", "POST")


def test_parameters() -> None:
    """Parameters are required unless they are optional or have a default; a call is completed with those."""
    definition = next(iter(load_texts({"a.yaml": DOCUMENTS["everything"]}).endpoints.values()))
    assert definition.required_parameters == ["id"]
    assert definition.placeholders == ["id", "q"]
    assert definition.complete({"id": "1"}) == {"id": "1", "q": "z", "data": None}
    assert definition.complete({"id": "1", "q": None, "data": {}}) == {"id": "1", "q": None, "data": {}}


@pytest.mark.parametrize(
    ("more", "rest"),
    [
        ("", ["b", "c", "d"]),
        ("query: {x: '${b}'}", ["c", "d"]),
        ("headers: {X: 'v ${c} w'}", ["b", "d"]),
        ("body: {x: [{y: '${d.z}'}]}", ["b", "c"]),
        ("form: {x: '${b + c}'}", ["d"]),
        ("body: {x: '$${b}'}", ["b", "c", "d"]),
    ],
)
def test_rest_of_the_parameters(more: str, rest: list[str]) -> None:
    """Parameters that neither the URL nor a template uses are the rest, in the order of declaration."""
    text = (
        "action: a\nurl: https://x.example.com/{a}\n"
        f"parameters: {{a: {{type: string}}, b: {{type: string}}, c: {{type: string}}, d: {{}}}}\n{more}\n"
    )
    assert next(iter(load_texts({"a.yaml": text}).endpoints.values())).rest_parameters() == rest


def test_event_dump_and_load() -> None:
    """Events are kept as plain JSON as well."""
    for event in load_texts({"base.yaml": BASE}).events.values():
        assert EventDefinition.load(json.loads(json.dumps(event.dump()))) == event
    written = load_texts({"base.yaml": BASE}).events["order.placed"].dump()
    assert list(written) == ["name", "key", "schema"]


def test_definitions_cannot_be_changed() -> None:
    """A definition that was read stays as it is."""
    event = load_texts({"base.yaml": BASE}).events["order.placed"]
    with pytest.raises(ValidationError):
        event.key = "event.other"  # type: ignore[misc]
