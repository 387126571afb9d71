"""Check of the events that a journey names."""

from __future__ import annotations

from sojourn.definitions.codes import Code
from sojourn.definitions.documents.reading import Reading
from sojourn.definitions.documents.validate import Source
from sojourn.definitions.problems import Path, choose


def check_event(name: str, path: Path, source: Source, reading: Reading) -> bool:
    """Report an event that is not defined, unless a file that may define it is unreadable.

    Args:
        name: The event.
        path: The place of the name in the document.
        source: The document.
        reading: All that was read.

    Returns:
        Whether the event is defined.
    """
    if name in reading.events:
        return True
    if not reading.broken:
        hint = (
            choose(name, reading.events, "event") + f" Events are defined by a document `event: {name[:60]}`."
        )
        source.report(Code.UNKNOWN_EVENT, path, f"There is no event `{name[:80]}`", hint.strip())
    return False
