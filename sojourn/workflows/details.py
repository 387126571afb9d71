"""The current details of an instance: a small Markdown text that Temporal's Web UI shows.

The Web UI does not strip HTML and carries the text in a URL, so everything that is not ours is escaped, the text stays
well under 4 kB, and no customer's data is in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sojourn.markdown import escape
from sojourn.workflows.values import moment

if TYPE_CHECKING:
    from sojourn.workflows.instance import Instance

_STEPS = 8
_BYTES = 3_500


def render(instance: Instance, waiting: str) -> str:
    """Return where an instance is, as Markdown.

    Args:
        instance: The instance.
        waiting: What it waits for, in plain words.
    """
    here = instance.position
    lines = [f"**{escape(here.step or 'end')}**: {escape(waiting, 200)}"]
    if here.until is not None:
        lines.append(f"until {escape(moment(here.until))}")
    if instance.inbox.dropped:
        lines.append(f"{instance.inbox.dropped} events dropped: more were pending than the journey allows")
    rows = [
        f"| {record['seq']} | {escape(record['step'], 40)} | {escape(record['result'])} | {escape(record['at'])} |"
        for record in list(instance.trace.entries)[-_STEPS:]
    ]
    # Text in other scripts takes up to four bytes a character: the oldest rows give way.
    while rows and len("\n".join([*lines, *rows]).encode("utf-8", "replace")) > _BYTES:
        del rows[0]
    if rows:
        lines += ["", "| # | step | what came of it | at |", "|---|---|---|---|"]
    return "\n".join([*lines, *rows])
