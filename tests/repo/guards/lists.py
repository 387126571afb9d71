"""Reads and writes the lists of known exceptions: one entry per line, sorted, a reason after `#`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

FOLDER = Path(__file__).parent / "lists"


def path_of(name: str) -> Path:
    """Return the file of a list."""
    return FOLDER / f"{name}.txt"


def read(name: str) -> dict[str, str]:
    """Return the entries of a list with their reasons; a reason is empty if the entry is still to be worked off."""
    entries = {}
    for line in path_of(name).read_text("utf-8").splitlines():
        entry, _, reason = line.partition("#")
        if entry.strip():
            entries[entry.strip()] = reason.strip()
    return entries


def heading(name: str) -> str:
    """Return the comment lines at the head of a list."""
    lines = path_of(name).read_text("utf-8").splitlines()
    return "".join(f"{line}\n" for line in lines if line.startswith("#"))


def write(name: str, entries: Iterable[str]) -> None:
    """Write a list. Entries that stay keep their reasons, and the comments at its head stay."""
    reasons = read(name)
    lines = [f"{entry}  # {reasons[entry]}" if reasons.get(entry) else entry for entry in sorted(entries)]
    path_of(name).write_text(heading(name) + "".join(f"{line}\n" for line in lines), "utf-8")


def compare(name: str, found: dict[str, str]) -> list[str]:
    """Compare what a guard found with its list.

    Args:
        name: The list.
        found: What was found; each entry with the message for an entry that the list lacks.

    Returns:
        What is wrong, a line each: new entries, and listed ones that no longer occur.
    """
    known = read(name)
    new = [message for entry, message in sorted(found.items()) if entry not in known]
    gone = [
        f"{path_of(name).name}: {entry}: no longer occurs, remove it"
        for entry in sorted(known)
        if entry not in found
    ]
    return new + gone
