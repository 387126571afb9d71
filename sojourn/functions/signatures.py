"""Reads the signature of a function: where it stands, its parameters, its answer."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode

from sojourn.definitions.base import Identifier
from sojourn.functions.errors import DefinitionError

_IDENTIFIER: TypeAdapter[str] = TypeAdapter(Identifier)


@dataclass(frozen=True)
class Parameter:
    """A parameter of a function.

    Attributes:
        schema: Its JSON Schema, as definitions have it: with `default`, or with `optional`.
        adapter: Converts JSON to what the function wants.
        required: Whether each call must give it.
        nullable: Whether null is a value of it.
    """

    schema: dict[str, Any]
    adapter: TypeAdapter[Any]
    required: bool
    nullable: bool


@dataclass(frozen=True)
class Place:
    """Which function is spoken of, and where it stands.

    Attributes:
        name: Its name in Python.
        kind: `source` or `action`.
        file: Path of its file.
        line: Its first line there, that of a decorator where it has any.
        reference: `module:qualified.name`.
        summary: First paragraph of its docstring, if it has one.
    """

    name: str
    kind: str
    file: str
    line: int
    reference: str
    summary: str | None

    @classmethod
    def of(cls, function: Any, kind: str) -> Place:
        """Return where a function stands, as far as it says so."""
        inner = inspect.unwrap(function) if callable(function) else function
        code = getattr(inner, "__code__", None)
        name = getattr(function, "__name__", type(function).__name__)
        qualified = getattr(function, "__qualname__", name).replace(".<locals>", "")
        doc = inspect.getdoc(function) if inspect.isroutine(function) else None
        return cls(
            name=name,
            kind=kind,
            file=getattr(code, "co_filename", "?"),
            line=getattr(code, "co_firstlineno", 1),
            reference=f"{getattr(function, '__module__', '?')}:{qualified}",
            summary=" ".join(doc.split("\n\n")[0].split()) if doc else None,
        )

    def wrong(self, what: str, hint: str) -> DefinitionError:
        """Return the error that says what is wrong with the function."""
        return DefinitionError(self.file, self.line, what, hint)

    def hints(
        self, function: Callable[..., Any], local_names: dict[str, Any]
    ) -> tuple[inspect.Signature, dict[str, Any]]:
        """Return the signature of a function and its annotations, resolved.

        Raises:
            DefinitionError: An annotation names something that is not known when the file is imported.
        """
        try:
            signature = inspect.signature(function)
            found = typing.get_type_hints(function, localns=local_names, include_extras=True)
        except NameError as error:
            missing = error.name or "something"
            raise self.wrong(
                f"An annotation of `{self.name}` names `{missing}`, which is not known when the file is imported",
                f"Import or define `{missing}` above the function, and not under `if TYPE_CHECKING`.",
            ) from None
        except (TypeError, ValueError, SyntaxError, AttributeError) as error:
            raise self.wrong(
                f"The annotations of `{self.name}` cannot be read ({error})",
                "Write types, such as `to: str`.",
            ) from None
        return signature, found


class _Schema(GenerateJsonSchema):
    """JSON Schema as definitions have it: without titles that repeat names, and without OpenAPI's own keywords."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def tagged_union_schema(self, schema: Any) -> dict[str, Any]:
        return {
            key: value for key, value in super().tagged_union_schema(schema).items() if key != "discriminator"
        }


def read_parameters(
    signature: inspect.Signature, hints: Mapping[str, Any], place: Place
) -> dict[str, Parameter]:
    """Return the parameters of a function.

    Raises:
        DefinitionError: One cannot be a parameter of a source or an action.
    """
    return {
        name: _parameter(name, parameter, hints, place) for name, parameter in signature.parameters.items()
    }


def _parameter(name: str, parameter: inspect.Parameter, hints: Mapping[str, Any], place: Place) -> Parameter:
    shown = f"`{name}` of `{place.name}`"
    if parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
        stars = "*" if parameter.kind is inspect.Parameter.VAR_POSITIONAL else "**"
        raise place.wrong(
            f"`{stars}{name}` of `{place.name}` takes whatever comes, and journeys give parameters by name",
            "Write each parameter out; for many values of one kind a `list[str]`, for any a `dict[str, Any]`.",
        )
    if parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
        raise place.wrong(
            f"{shown} is positional only, and journeys give parameters by name", "Remove the `/`."
        )
    if name not in hints:
        if name in ("self", "cls"):
            raise place.wrong(
                f"`{place.name}` is a method, and nobody makes an object for it",
                "Write it as a function of the module.",
            )
        raise place.wrong(f"{shown} has no type", f"Write one, such as `{name}: str`, or `{name}: Any`.")
    try:
        _IDENTIFIER.validate_python(name)
    except ValidationError:
        raise place.wrong(
            f"{shown} cannot be named so: in expressions the word means something else, or it is too long",
            f"Choose another name, such as `{name[:50]}_name`.",
        ) from None
    adapter, schema = _adapter(hints[name], "validation", shown, place)
    required = parameter.default is inspect.Parameter.empty
    if isinstance(parameter.default, FieldInfo):
        hint = f"Write `{name}: Annotated[..., Field(...)]`, and the default behind it."
        raise place.wrong(f"{shown} has a Field(...) as its default", hint)
    if not required:
        schema |= _default(parameter.default, adapter)
    return Parameter(schema, adapter, required, _accepts_none(adapter))


def _default(value: Any, adapter: TypeAdapter[Any]) -> dict[str, Any]:
    """Return how a definition says that a parameter may be left out."""
    if value is None:
        return {"optional": True}
    try:
        return {"default": adapter.dump_python(value, mode="json", by_alias=True, warnings="error")}
    except (ValueError, TypeError):
        # A default of the function's own, such as a marker: only the function knows what it means.
        return {"optional": True}


def _accepts_none(adapter: TypeAdapter[Any]) -> bool:
    try:
        adapter.validate_python(None)
    except Exception:  # a validator of the author's may raise anything
        return False
    return True


def read_return(hints: Mapping[str, Any], place: Place) -> tuple[TypeAdapter[Any], dict[str, Any] | None]:
    """Return what turns an answer into JSON, and the schema of that JSON; None where it may be anything.

    Raises:
        DefinitionError: The function does not say what it returns, or returns what cannot be JSON.
    """
    if "return" not in hints:
        raise place.wrong(
            f"`{place.name}` does not say what it returns",
            "Write `-> None` if nothing, else a type, or `-> Any`.",
        )
    adapter, schema = _adapter(hints["return"], "serialization", f"what `{place.name}` returns", place)
    return adapter, schema or None


def _adapter(
    annotation: Any, mode: JsonSchemaMode, shown: str, place: Place
) -> tuple[TypeAdapter[Any], dict[str, Any]]:
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(annotation)
        schema = adapter.json_schema(by_alias=True, mode=mode, schema_generator=_Schema)
    except Exception as error:  # pydantic raises many, and so may a type's own hooks
        text = annotation.__name__ if isinstance(annotation, type) else str(annotation)
        raise place.wrong(
            f"The type of {shown}, {text[:100]}, has no form in JSON ({type(error).__name__})",
            "Use str, int, float, bool, datetime, enums, lists, dicts, dataclasses or pydantic models.",
        ) from None
    return adapter, schema
