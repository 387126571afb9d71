"""Examples of requests and answers about profiles for the OpenAPI document."""

from __future__ import annotations

from typing import Any

_ATTRIBUTES = {"email": "ada@example.com", "optIn": True, "address": {"city": "Paris"}}
_PROFILE = {
    "key": "cust-1",
    "attributes": _ATTRIBUTES,
    "version": 3,
    "created_at": "2026-03-01T10:00:00Z",
    "updated_at": "2026-03-02T08:30:00Z",
}
_CREATED = {"key": "cust-1", "status": "created", "version": 1}
_UPDATED = {"key": "cust-1", "status": "updated", "version": 4}
_REFUSED = {
    "key": "cust-2",
    "status": "refused",
    "version": None,
    "violations": [{"path": "/attributes/email", "message": "is a number; write a text"}],
}
_SCHEMA = {
    "name": "customer",
    "description": "What we know of a customer.",
    "schema": {"type": "object", "properties": {"email": {"type": "string", "format": "email"}}},
}
_ONE = {"written": {"summary": "The profile has changed", "value": _UPDATED}}
_BATCH = {
    "mixed": {"summary": "A good and a bad item", "value": {"results": [_CREATED, _REFUSED]}},
}

ANSWERS: dict[str, dict[str, Any]] = {
    "put_profile": _ONE,
    "patch_profile": _ONE,
    "read_profile": {"profile": {"summary": "A profile", "value": _PROFILE}},
    "erase_profile": {"erased": {"summary": "It is gone", "value": {"key": "cust-1", "erased": True}}},
    "put_profiles": _BATCH,
    "patch_profiles": _BATCH,
    "read_profiles": {
        "read": {
            "summary": "One of two is there",
            "value": {"profiles": [_PROFILE], "missing": ["cust-2"]},
        }
    },
    "read_profile_schema": {
        "schema": {"summary": "A schema", "value": _SCHEMA},
        "none": {
            "summary": "No project says anything of profiles",
            "value": {"name": None, "description": None, "schema": None},
        },
    },
}
"""Examples of good answers, by operation."""

CREATED: dict[str, Any] = {"created": {"summary": "The profile is new", "value": _CREATED}}
"""Examples of the answer about a new profile."""

_PATCH = {"attributes": {"optIn": False, "phone": None, "address": {"city": "Lyon"}}}


def _header(name: str, description: str, example: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": description,
        "schema": {"type": "string"},
        "example": example,
    }


IF_MATCH = _header(
    "If-Match",
    "Do so only if the profile has this version, as `ETag` gave it; `*`: only if it is there.",
    '"3"',
)
IF_NONE_MATCH = _header("If-None-Match", "`*`: write only if the profile is not there.", "*")


def _request(
    model: str, examples: dict[str, Any], *, many: bool = False, merge: bool = False
) -> dict[str, Any]:
    schema: dict[str, Any] = {"$ref": f"#/components/schemas/{model}"}
    if many:
        schema = {"type": "array", "items": schema}
    content = {"schema": schema, "examples": examples}
    types = ["application/json", *(["application/merge-patch+json"] if merge else [])]
    return {"required": True, "content": dict.fromkeys(types, content)}


_BATCH_EXAMPLE = {
    "batch": {
        "summary": "Two profiles",
        "value": [{"key": "cust-1", "attributes": _ATTRIBUTES}, {"key": 42, "attributes": {"optIn": False}}],
    }
}
PUT_ONE = {
    "requestBody": _request(
        "ProfileAttributes", {"all": {"summary": "All attributes", "value": {"attributes": _ATTRIBUTES}}}
    ),
    "parameters": [IF_MATCH, IF_NONE_MATCH],
}
PATCH_ONE = {
    "requestBody": _request(
        "ProfileAttributes", {"some": {"summary": "Two changed, one removed", "value": _PATCH}}, merge=True
    ),
    "parameters": [IF_MATCH, IF_NONE_MATCH],
}
WRITE_MANY = {"requestBody": _request("ProfileWrite", _BATCH_EXAMPLE, many=True)}
READ_MANY = {
    "requestBody": _request(
        "ProfileKeys", {"two": {"summary": "Two profiles", "value": {"keys": ["cust-1", "cust-2"]}}}
    )
}
ERASE_ONE = {"parameters": [IF_MATCH]}
