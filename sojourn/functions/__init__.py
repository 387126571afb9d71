"""Python functions that are data sources and actions: declaring them, calling them, writing their definitions."""

from __future__ import annotations

from sojourn.functions.collecting import Declared, collecting
from sojourn.functions.context import Context, context, entered
from sojourn.functions.declaration import Function, function_of
from sojourn.functions.documents import documents
from sojourn.functions.errors import DefinitionError, Failed

__all__ = [
    "Context",
    "Declared",
    "DefinitionError",
    "Failed",
    "Function",
    "collecting",
    "context",
    "documents",
    "entered",
    "function_of",
]
