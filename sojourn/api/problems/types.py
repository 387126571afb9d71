"""What a kind of problem is, and the table that collects them all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

BASE = "/problems/"


@dataclass(frozen=True, slots=True)
class ProblemType:
    """A kind of problem.

    Attributes:
        slug: The last part of its `type`.
        status: The HTTP status.
        title: What it is, the same in every occurrence.
        remedy: What the reader can do about it.
        detail: An example of what one occurrence says.
        extensions: An example of the further members of an occurrence.
        headers: Headers that each answer carries, with an example of their values.
    """

    slug: str
    status: int
    title: str
    remedy: str
    detail: str
    extensions: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def uri(self) -> str:
        """The `type` member: a URI relative to the API."""
        return BASE + self.slug

    def example(self) -> dict[str, Any]:
        """Return an example of the answer's body."""
        return {
            "type": self.uri,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            **self.extensions,
        }


TYPES: dict[str, ProblemType] = {}
"""Every kind of problem by its slug, in the order of the documentation."""


def define(problem_type: ProblemType) -> ProblemType:
    """Put a kind of problem into the table and return it."""
    TYPES[problem_type.slug] = problem_type
    return problem_type
