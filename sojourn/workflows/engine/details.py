"""The current details of an instance: a small Markdown text that Temporal's Web UI shows.

The Web UI does not strip HTML and carries the text in a URL, so everything that is not ours is escaped, the text stays
well under 4 kB, and no customer's data is in it. Setting it costs no history, but it is a text of the moment: whatever
changes it must have it made again.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from temporalio import workflow

from sojourn.contract.markdown import escape

if TYPE_CHECKING:
    from sojourn.workflows.engine.instance import Instance

_STEPS = 8
_BYTES = 3_500
_PAUSED_BY = {"instance": "by an operator", "journey": "with its journey"}


def show(instance: Instance, waiting: str | None = None) -> None:
    """Let the Web UI show where an instance is.

    Args:
        instance: The instance.
        waiting: What it does or waits for, in plain words; what was said last where nothing is given.
    """
    if waiting is not None:
        instance.doing = waiting
    workflow.set_current_details(render(instance, instance.doing))


def render(instance: Instance, waiting: str) -> str:
    """Return where an instance is, as Markdown.

    Args:
        instance: The instance.
        waiting: What it does or waits for, in plain words.
    """
    lines = [_headline(instance, waiting), *_remarks(instance)]
    rows = [
        f"| {record['seq']} | {escape(record['step'], 40)} | {escape(record['result'])} | {_when(record['at'])} |"
        for record in list(instance.trace.entries)[-_STEPS:]
    ]
    # Text in other scripts takes up to four bytes a character: the oldest rows give way.
    while rows and len("\n".join([*lines, *rows]).encode("utf-8", "replace")) > _BYTES:
        del rows[0]
    if rows:
        lines += ["", "| # | step | what came of it | came to it at, UTC |", "|---|---|---|---|"]
    return "\n".join([*lines, *rows])


def _headline(instance: Instance, waiting: str) -> str:
    here = instance.position
    line = f"**{escape(here.step or 'end')}**: {escape(waiting, 300)}"
    if here.until is not None and here.until <= instance.deadline:
        return f"{line}, until {_when(here.until)} UTC"
    if here.waits:
        return f"{line}; the journey's own time ends at {_when(instance.deadline)} UTC"
    return line


def _remarks(instance: Instance) -> list[str]:
    remarks = []
    if instance.paused and instance.ending is None:
        by = " and ".join(_PAUSED_BY[reason] for reason in instance.holds.reasons)
        remarks.append(f"**Paused** {by}: it begins no further step until it is resumed; times go on")
    if instance.exits.holding:
        remarks.append("an event may end it: that is decided as soon as the profile is read")
    if pending := len(instance.inbox):
        remarks.append(f"{_events(pending)} pending: the next wait is offered them")
    if dropped := instance.inbox.dropped:
        remarks.append(f"{_events(dropped)} dropped: more were pending than the journey allows")
    if instance.last_error is not None:
        where, code = escape(str(instance.last_error["step"])), escape(str(instance.last_error["code"]))
        remarks.append(f"last error: {code} at {where}")
    # The Web UI keeps the line breaks, and its box is small: no empty lines between them.
    return remarks


def _events(count: int) -> str:
    return "1 event" if count == 1 else f"{count} events"


def _when(moment: datetime | str) -> str:
    text = moment if isinstance(moment, str) else moment.isoformat(timespec="seconds")
    return text[:19].replace("T", " ")
