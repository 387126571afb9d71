"""An endpoint made ready for many calls: templates and schemas compiled once."""

from __future__ import annotations

import hashlib
import json
import re
from collections import OrderedDict
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from sojourn.activities.errors import refused
from sojourn.activities.validation import SchemaCheck
from sojourn.definitions import EndpointDefinition
from sojourn.definitions.kinds.endpoint import SecretRef
from sojourn.expressions import EvaluationError, Template, compile_template, to_json

_BARE = re.compile(r"\$\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}")
_KEPT = 2_000
_VARIANTS = 64
"""Most sets of left-out parameters for which templates are kept."""


class PreparedEndpoint:
    """A definition with what can be computed from it alone.

    Args:
        definition: The endpoint.
    """

    def __init__(self, definition: EndpointDefinition) -> None:
        self.definition = definition
        self._required = frozenset(definition.required_parameters)
        self._checks: dict[str, SchemaCheck] = {}
        self._templates: dict[frozenset[str], tuple[Template, dict[tuple[str, str], SecretRef]]] = {}

    @cached_property
    def fingerprint(self) -> str:
        """Identifies the definition's content: another one after any change."""
        text = json.dumps(self.definition.dump(), sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    @cached_property
    def rest(self) -> list[str]:
        """Names of the parameters that no part of the definition uses."""
        return self.definition.rest_parameters()

    @cached_property
    def response(self) -> SchemaCheck | None:
        """Checks the bodies of answers, if the definition describes them."""
        return (
            None if self.definition.response is None else self._schema(self.definition.response, "`response`")
        )

    def check(self, parameters: Mapping[str, Any]) -> None:
        """Check the parameters of a call.

        Raises:
            CallError: `refused`: one is unknown, missing, or does not fit its schema.
        """
        declared = self.definition.parameters
        unknown = sorted(set(parameters) - set(declared))
        if unknown:
            raise refused(f"{unknown[0][:60]} is no parameter of {self.definition.name}")
        missing = sorted(self._required - set(parameters))
        if missing:
            raise refused(f"the parameter {missing[0]} of {self.definition.name} is missing")
        for name, value in parameters.items():
            if value is None and name not in self._required:
                continue
            if name not in self._checks:
                self._checks[name] = self._schema(declared[name], f"the parameter {name}")
            problem = self._checks[name].problem(value)
            if problem:
                raise refused(f"the parameter {name} does not fit its schema: {problem}")

    def complete(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return every declared parameter: as given, else its default, else null."""
        return self.definition.complete(dict(parameters))

    def evaluate(self, values: Mapping[str, Any], *, absent: set[str]) -> dict[str, Any]:
        """Return `query`, `headers`, `form` and `body` with their expressions evaluated.

        Args:
            values: Every declared parameter.
            absent: Parameters that the call did not give. A field of the body that is nothing but one of
                them, null for want of a default, is left out; one that was given as null is sent as null.

        Raises:
            CallError: `refused`: an expression failed.
        """
        left_out = frozenset(name for name in absent if values[name] is None)
        try:
            if left_out not in self._templates:
                if len(self._templates) >= _VARIANTS:
                    self._templates.clear()
                self._templates[left_out] = self._compile(left_out)
            template, secrets = self._templates[left_out]
            parts: dict[str, Any] = to_json(template.evaluate(values))
        except EvaluationError as error:
            raise refused(f"an expression of the endpoint {self.definition.name} failed: {error}") from None
        except ValueError as error:
            message = f"a template of the endpoint {self.definition.name} cannot be used: {error}"
            raise refused(message, expected=False) from None
        for (part, name), reference in secrets.items():
            parts[part][name] = reference
        return parts

    def _compile(self, left_out: frozenset[str]) -> tuple[Template, dict[tuple[str, str], SecretRef]]:
        """Compile all templates at once; references to secrets are kept aside, since they are no texts."""
        definition = self.definition
        parts: dict[str, Any] = {
            "query": dict(definition.query),
            "headers": dict(definition.headers),
            "form": dict(definition.form or {}),
        }
        secrets = {
            (part, name): value
            for part, fields in parts.items()
            for name, value in fields.items()
            if isinstance(value, SecretRef)
        }
        for part, name in secrets:
            parts[part][name] = None
        parts["body"] = _prune(definition.body, left_out)
        return compile_template(parts), secrets

    def _schema(self, schema: dict[str, Any], what: str) -> SchemaCheck:
        try:
            return SchemaCheck(schema)
        except ValueError:
            message = f"the JSON Schema of {what} of {self.definition.name} cannot be used"
            raise refused(message, expected=False) from None


class PreparedEndpoints:
    """Remembers prepared endpoints for as long as the directory answers with the same definitions."""

    def __init__(self) -> None:
        self._kept: OrderedDict[int, PreparedEndpoint] = OrderedDict()

    def prepare(self, definition: EndpointDefinition) -> PreparedEndpoint:
        """Return the definition made ready."""
        # The definition is kept alive with its entry, so no other one can have its identity.
        found = self._kept.get(id(definition))
        if found is None:
            found = self._kept[id(definition)] = PreparedEndpoint(definition)
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return found


def _prune(body: Any, left_out: frozenset[str]) -> Any:
    """Return a body template without the fields and items that are only a parameter left out."""
    if isinstance(body, dict):
        return {
            name: _prune(value, left_out) for name, value in body.items() if not _is_left_out(value, left_out)
        }
    if isinstance(body, list):
        return [_prune(item, left_out) for item in body if not _is_left_out(item, left_out)]
    return body


def _is_left_out(value: Any, left_out: frozenset[str]) -> bool:
    match = _BARE.fullmatch(value.strip()) if isinstance(value, str) else None
    return match is not None and match[1] in left_out
