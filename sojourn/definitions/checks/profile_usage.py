"""Use of the profile by a journey: the attributes that its expressions name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sojourn.definitions.compiled import expressions


def profile_use(compiled: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what a compiled journey says of the profile, or None where none of its expressions names it.

    Args:
        compiled: The compiled journey.

    Returns:
        `{"attributes": names}`: those that an instance is to be given; null for all of them, where an expression names
        the profile as a whole.
    """
    found: set[str] = set()
    named = False
    for expression in expressions(compiled):
        for path in expression.paths:
            if path and path[0] == "profile":
                if len(path) == 1 or not isinstance(path[1], str):
                    return {"attributes": None}
                named = True
                found.add(path[1])
    return {"attributes": sorted(found)} if named else None
