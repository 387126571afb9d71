"""Values without expressions, held against the JSON Schema of the place that they are for."""

from __future__ import annotations

from sojourn.definitions.checks.json_schema import validator
from sojourn.definitions.codes import Code
from sojourn.definitions.documents.validate import Source
from sojourn.definitions.problems import Path
from sojourn.expressions import compile_template


def check_constant(value: object, source: Source, path: Path, schema: object, what: str) -> None:
    """Report a value that does not fit a schema. One with expressions in it is passed over.

    Args:
        value: A template.
        source: The document in which it stands.
        path: Its place there.
        schema: The JSON Schema; what is no object says nothing.
        what: What the value is for, such as "the event's field `total`".
    """
    try:
        template = compile_template(value)
        if not isinstance(schema, dict) or not template.constant:
            return
        found = next(iter(validator(schema).iter_errors(template.evaluate({}))), None)
    except ValueError:
        # A reference to another part of the schema, say; whoever takes the value checks the whole by all of it.
        return
    if found is not None:
        said = str(found.message)[:200]
        message = f"The value does not fit {what}"
        source.report(Code.WRONG_TYPE, (*path, *found.instance_path), message, f"Its schema says: {said}.")
