"""What all models of definitions share: strictness, names, references to secrets."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from sojourn.contract import names
from sojourn.definitions.codes import Code, problem


class Model(BaseModel):
    """A part of a definition: no unknown keys, no silent conversions, never changed once read."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9])?")
_STEP = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62}[A-Za-z0-9_])?")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
# The reserved words of CEL, on two lines for the eye.
_RESERVED = {"as", "break", "const", "continue", "else", "false", "for", "function", "if", "import"} | {
    "in", "let", "loop", "namespace", "null", "package", "return", "true", "var", "void", "while"
}  # fmt: skip


def _journey_name(value: str) -> str:
    if not names.JOURNEY_NAME.fullmatch(value):
        raise problem(
            Code.NAME,
            f"{value[:80]!r} cannot be the name of a journey",
            "Use up to 64 lower-case letters, digits, '.', '_', '-'; begin and end with a letter or digit.",
        )
    return value


def _name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise problem(
            Code.NAME,
            f"{value[:80]!r} cannot be a name",
            "Use up to 128 letters, digits, '.', '_' and '-'; begin and end with a letter or a digit.",
        )
    return value


def _step_id(value: str) -> str:
    if not _STEP.fullmatch(value):
        raise problem(
            Code.NAME,
            f"{value[:80]!r} cannot be the id of a step",
            "Use up to 64 letters, digits, '_' and '-'; begin and end with a letter, a digit or '_'.",
        )
    return value


def _identifier(value: str) -> str:
    if not _IDENTIFIER.fullmatch(value) or value in _RESERVED:
        raise problem(
            Code.NAME,
            f"{value[:80]!r} cannot be the name of a value in expressions",
            "Use up to 64 letters, digits and '_', begin with a letter, and use no word of the language.",
        )
    return value


def _text(pattern: re.Pattern[str], longest: int) -> dict[str, Any]:
    """Return the JSON Schema of a text that matches whole."""
    return {"type": "string", "maxLength": longest, "pattern": f"^(?:{pattern.pattern})$"}


JourneyName = Annotated[str, AfterValidator(_journey_name), WithJsonSchema(_text(names.JOURNEY_NAME, 64))]
"""Name of a journey, see `names.JOURNEY_NAME`."""

Name = Annotated[str, AfterValidator(_name), WithJsonSchema(_text(_NAME, 128))]
"""Name of an event, a source or an action."""

StepId = Annotated[str, AfterValidator(_step_id), WithJsonSchema({"type": "string", "maxLength": 64})]
"""Id of a step, unique in its journey."""

Identifier = Annotated[str, AfterValidator(_identifier), WithJsonSchema({"type": "string", "maxLength": 64})]
"""Name of a parameter or of a value that a `set` step makes: something that expressions can say."""


HttpUrl = Annotated[str, WithJsonSchema({"type": "string", "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://"})]
"""A URL with scheme and host; what is wrong with one is told by `endpointchecks.check_url`."""


def _expression(value: Any) -> Any:
    # `when: true` is YAML's true, and means the expression `true`.
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and not value.strip():
        raise problem(Code.EXPRESSION, "The expression is empty", "Write a condition, or leave the key out.")
    if isinstance(value, str) and value.strip().startswith("${") and value.strip().endswith("}"):
        inner = value.strip()[2:-1].strip()
        raise problem(
            Code.BRACES,
            "This is an expression already, without ${ }",
            f"Write it without the braces: {inner[:200]}",
        )
    return value


CelText = Annotated[str, BeforeValidator(_expression), WithJsonSchema({"type": ["string", "boolean"]})]
"""An expression, as text."""


class SecretRef(Model):
    """Names a secret of the deployment. The value itself never stands in a file."""

    secret: Annotated[
        str,
        Field(
            min_length=1,
            max_length=128,
            description="Name of the secret",
            json_schema_extra={"pattern": f"^(?:{_VARIABLE.pattern})$"},
        ),
    ]

    def dump(self) -> dict[str, str]:
        """Return the reference as plain JSON."""
        return {"secret": self.secret}


def _secret(value: Any) -> Any:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        raise problem(
            Code.SECRET,
            "A secret is written into the file",
            "Write {secret: SOME_NAME}, and set the environment variable SOME_NAME where Sojourn runs.",
        )
    if (
        isinstance(value, dict)
        and isinstance(value.get("secret"), str)
        and not _VARIABLE.fullmatch(value["secret"])
    ):
        raise problem(
            Code.SECRET,
            "This is not the name of a secret",
            "Write the name of an environment variable, such as {secret: CRM_TOKEN}.",
        )
    return value


Secret = Annotated[SecretRef, BeforeValidator(_secret)]
"""A value that must be a secret: `{secret: NAME}`."""
