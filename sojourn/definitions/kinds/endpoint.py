"""Data sources and actions: the HTTP endpoints that journeys call."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, WithJsonSchema, model_validator

from sojourn.definitions import rate_limits
from sojourn.definitions.auth import Auth, NoAuth
from sojourn.definitions.auth.values import TextOrSecret
from sojourn.definitions.base import HttpUrl, Identifier, Model, Name, SecretRef
from sojourn.definitions.codes import Code, problem
from sojourn.definitions.durations import STORED, Duration, PositiveDuration
from sojourn.expressions import compile_template

__all__ = [
    "Auth",
    "Cap",
    "EndpointDefinition",
    "SecretRef",
    "Throttle",
]

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def _scalar(value: Any) -> Any:
    if isinstance(value, str | int | float | bool | SecretRef):
        return value
    if isinstance(value, dict) and set(value) == {"secret"} and isinstance(value["secret"], str):
        return SecretRef(secret=value["secret"])
    raise problem(
        Code.WRONG_VALUE,
        "This must be one value: a text, a number, true or false",
        'Write a text, such as "${id}", a number, true, false, or {secret: NAME}.',
    )


Scalar = Annotated[
    Any,
    BeforeValidator(_scalar),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": ["string", "number", "boolean"]},
                {"type": "object", "properties": {"secret": {"type": "string"}}, "required": ["secret"]},
            ]
        }
    ),
]
"""A text (a template over the parameters), number or boolean; or a `SecretRef`."""

JsonSchema = Annotated[
    dict[str, Any], WithJsonSchema({"type": "object", "description": "JSON Schema, draft 2020-12"})
]


def _calls(value: int, info: ValidationInfo) -> int:
    _require(rate_limits.check_calls(value), info)
    return value


def _cap_period(value: float, info: ValidationInfo) -> float:
    _require(rate_limits.check_period("cap", value), info)
    return value


def _throttle_period(value: float, info: ValidationInfo) -> float:
    _require(rate_limits.check_period("throttle", value), info)
    return value


def _expire(value: float, info: ValidationInfo) -> float:
    _require(rate_limits.check_expire(value), info)
    return value


def _require(found: rate_limits.LimitProblem | None, info: ValidationInfo) -> None:
    # What is stored holds as it is: it was checked when it was published or set.
    if found is not None and info.context != STORED:
        raise problem(Code.OUT_OF_RANGE, found.message, found.hint)


LimitCalls = Annotated[
    int,
    AfterValidator(_calls),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": rate_limits.MAX_CALLS}),
]
"""How many calls a limit lets through in its time."""


class Cap(Model):
    """At most `calls` in each `per`; calls above that are not made and count as the error `capped`."""

    calls: LimitCalls
    per: Annotated[PositiveDuration, AfterValidator(_cap_period)]


class Throttle(Model):
    """At most `calls` in each `per`; calls above that wait, and are dropped as `expired` after `expire`."""

    calls: LimitCalls
    per: Annotated[PositiveDuration, AfterValidator(_throttle_period)]
    expire: Annotated[PositiveDuration, AfterValidator(_expire)] = rate_limits.DEFAULT_EXPIRE

    @property
    def rate(self) -> float:
        """Calls a second."""
        return self.calls / self.per

    @model_validator(mode="after")
    def _possible(self, info: ValidationInfo) -> Self:
        _require(rate_limits.check_rate(self.rate), info)
        return self


def _python_reference(value: str) -> str:
    module, colon, function = value.partition(":")
    named = all(part.isidentifier() for part in module.split("."))
    if not colon or not named or not function or len(value) > 500:
        raise problem(
            Code.WRONG_VALUE,
            "This names no Python function",
            "Write `module:function`, such as actions:send.",
        )
    return value


PythonReference = Annotated[str, AfterValidator(_python_reference), WithJsonSchema({"type": "string"})]
"""Where a Python function is defined. Only a name: nothing is ever imported because a definition says so."""

HTTP_ONLY = ("url", "method", "query", "headers", "body", "form", "auth")
"""Keys that say how an HTTP request is made, and that a Python function has not."""


class EndpointDefinition(Model):
    """A data source or an action, read from a document `source: NAME` or `action: NAME`.

    Texts in `query`, `headers`, `body` and `form` are templates: `${...}` in them are expressions over
    the parameters, each by its bare name. In `url`, `{name}` stands for a parameter, percent-encoded into the
    path or the query. A parameter used in none of them goes where `rest_parameters` says.
    """

    kind: Literal["source", "action"]
    name: Name
    description: str | None = None
    method: Method
    url: HttpUrl
    python: PythonReference | None = Field(
        None,
        description="`module:function` of a Python function that workers run, in the place of `url`; written by "
        "Sojourn for functions with `@action.defn` or `@source.defn`",
    )
    parameters: dict[Identifier, JsonSchema] = Field(
        default_factory=dict,
        description="JSON Schema of each parameter; `optional: true` or a `default` lets calls leave it out.",
    )
    query: dict[str, Scalar] = Field(
        default_factory=dict, description="Query parameters, added to those of the URL"
    )
    headers: dict[str, TextOrSecret] = Field(default_factory=dict)
    body: Any = Field(None, description="JSON body, a template")
    form: dict[str, Scalar] | None = Field(None, description="Body sent as an HTML form, instead of `body`")
    auth: Auth = Field(default_factory=NoAuth)
    cache: (
        Annotated[Duration, Field(description="How long the same answer serves again; sources only")] | None
    ) = None
    cap: Cap | None = None
    throttle: Throttle | None = None
    response: JsonSchema | None = Field(None, description="JSON Schema that the body of the answer must fit")

    @model_validator(mode="before")
    @classmethod
    def _defaults(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        defaults = {"method": "GET" if data.get("kind") == "source" else "POST"}
        if data.get("python") is not None:
            defaults["url"] = ""
        return defaults | data

    @property
    def id(self) -> str:
        """Key in `Project.endpoints`: `source:crm.customer`."""
        return f"{self.kind}:{self.name}"

    @property
    def placeholders(self) -> list[str]:
        """Names of the parameters in the URL, in order, each as often as it stands there."""
        return _PLACEHOLDER.findall(self.url)

    @property
    def required_parameters(self) -> list[str]:
        """Names of the parameters that each call must give."""
        return [
            name
            for name, schema in self.parameters.items()
            if "default" not in schema and not schema.get("optional")
        ]

    def complete(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Return every declared parameter: as given, else its default, else null if it is optional.

        Templates see null for an optional parameter that the call left out, so that naming it is no error.
        """
        return {
            name: parameters[name] if name in parameters else schema.get("default")
            for name, schema in self.parameters.items()
        }

    def dump(self) -> dict[str, Any]:
        """Return the definition as plain JSON, which `load` reads back. Durations are seconds."""
        data = self.model_dump(mode="json", exclude_none=True)
        if self.python is not None:
            data = {key: value for key, value in data.items() if key not in HTTP_ONLY}
        # A template may well contain null, which `exclude_none` keeps; the method is always written.
        return {key: value for key, value in data.items() if value != {} or key == "body"}

    @classmethod
    def load(cls, data: dict[str, Any]) -> Self:
        """Read what `dump` wrote.

        Raises:
            pydantic.ValidationError: It was not written by `dump`.
        """
        return cls.model_validate(data, context=STORED)

    def rest_parameters(self) -> list[str]:
        """Return the parameters that neither the URL nor a template uses, in the order of their declaration.

        With GET and DELETE they are added to the query. With the other methods and neither `body` nor `form`,
        they are the JSON body: an object with these names. Else they are sent nowhere. A null is left out.
        """
        used = set(self.placeholders) | self._template_names()
        return [name for name in self.parameters if name not in used]

    def _template_names(self) -> set[str]:
        texts = [
            {name: value for name, value in part.items() if isinstance(value, str)} for part in self._parts()
        ]
        template = compile_template([texts, self.body])
        return {str(path[0]) for _, expression in template.expressions for path in expression.paths if path}

    def _parts(self) -> list[dict[str, Any]]:
        return [self.query, dict(self.headers), self.form or {}]

    def secret_names(self) -> set[str]:
        """Return the names of all secrets that a call needs."""
        return set(_secrets(self.model_dump(mode="python")))


def _secrets(value: Any) -> list[str]:
    if isinstance(value, SecretRef):
        return [value.secret]
    if isinstance(value, dict):
        if set(value) == {"secret"} and isinstance(value["secret"], str):
            return [value["secret"]]
        return [name for item in value.values() for name in _secrets(item)]
    return []
