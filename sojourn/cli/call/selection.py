"""Which endpoint a name on the command line means."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from sojourn.cli.output import CliError, ExitCode

KINDS = ("source", "action")


def only(name: str, kind: str | None, known: Sequence[str], where: str, errors: Sequence[str] = ()) -> str:
    """Return the only endpoint, as `source:NAME` or `action:NAME`, that a name means.

    Args:
        name: Its name, or `source:NAME` or `action:NAME`.
        kind: `source` or `action`; None: whichever there is.
        known: The endpoints that there are, as `source:NAME` and `action:NAME`.
        where: Where they are, for the error.
        errors: What is wrong with others, among which it may be.

    Raises:
        CliError: There is none, or there are two.
    """
    before, colon, rest = name.partition(":")
    if colon and before in KINDS:
        if kind not in (None, before):
            raise CliError(f"{name} is no {kind}", ExitCode.USAGE)
        kind, name = before, rest
    found = [key for key in known if key.partition(":")[2] == name and kind in (None, key.partition(":")[0])]
    if len(found) > 1:
        raise CliError(
            f"{name} is a source and an action: write source:{name} or action:{name}", ExitCode.USAGE
        )
    if found:
        return found[0]
    raise CliError(_nothing(name, kind, known, where, errors))


def _nothing(name: str, kind: str | None, known: Sequence[str], where: str, errors: Sequence[str]) -> str:
    """Say that there is no such endpoint, and why that may be."""
    lines = [f"there is no {kind or 'source or action'} {name} in {where}"]
    near = difflib.get_close_matches(name, [key.partition(":")[2] for key in known], 1)
    if near:
        lines[0] += f": did you mean {near[0]}?"
    elif known:
        lines[0] += f": it has {', '.join(sorted(known))}"
    if errors:
        lines.append("It may be one that cannot be read:")
        lines += [f"  {error}" for error in errors]
    return "\n".join(lines)
