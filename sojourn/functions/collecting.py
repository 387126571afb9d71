"""Collects what Python files declare while they are imported."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol


class Declared(Protocol):
    """Something that Python code declares, and that becomes a document of a project."""

    @property
    def kind(self) -> str:
        """First key of its document, such as `action`."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def file(self) -> str:
        """Path of the Python file."""

    @property
    def module(self) -> str:
        """Name of the Python module."""

    @property
    def line(self) -> int:
        """Line in the file, from 1."""

    def document(self) -> dict[str, Any]:
        """Return its document as plain JSON; the first key says what it is."""


_found: ContextVar[list[Declared] | None] = ContextVar("sojourn_declared", default=None)


def declare(thing: Declared) -> None:
    """Take note of something that was declared, if anybody collects."""
    found = _found.get()
    if found is not None:
        found.append(thing)


@contextmanager
def collecting() -> Iterator[list[Declared]]:
    """Collect whatever is declared inside the `with` block, in order, wherever it is declared."""
    found: list[Declared] = []
    token = _found.set(found)
    try:
        yield found
    finally:
        _found.reset(token)
