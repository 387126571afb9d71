"""What is told of a publication that breaks a rule of versions."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sojourn.api.problems import kinds
from sojourn.api.problems.errors import ProblemError
from sojourn.definitions.problems import Problem
from sojourn.store.version_rules import BrokenRule, PublicationRefused


def not_publishable(error: PublicationRefused, files: Mapping[str, str] | None = None) -> ProblemError:
    """Return the answer to such a publication.

    Args:
        error: What the store says of it.
        files: The texts of the project's files, by path, where they are known: the places are looked up there.
    """
    problems = [_problem(rule, files or {}) for rule in error.rules]
    count = f"{len(problems)} problem stands" if len(problems) == 1 else f"{len(problems)} problems stand"
    return ProblemError(
        kinds.INVALID_DEFINITIONS,
        f"{count} against publishing. The first: {problems[0]}",
        problems=[problem.as_dict() for problem in problems],
    )


def _problem(rule: BrokenRule, files: Mapping[str, str]) -> Problem:
    head = re.compile(rf"""^journey:[ \t]*["']?{re.escape(rule.journey)}["']?[ \t]*(#.*)?$""", re.MULTILINE)
    for path, text in files.items():
        if (found := head.search(text)) is not None:
            line = text.count("\n", 0, found.start()) + 1
            return Problem(rule.code, "error", path, line, 1, rule.field, rule.message, rule.hint)
    return Problem(rule.code, "error", "", 0, 0, rule.field, f"{rule.journey}: {rule.message}", rule.hint)
