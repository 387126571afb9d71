"""The current details of an instance: a short Markdown text that Temporal's Web UI shows.

The Web UI does not strip HTML and carries the text in a URL. So everything from outside is escaped, the text stays well
under 4 kB, and it holds no customer's data. Setting it costs no history. It is not updated by itself: whoever changes
what it shows must set it again.
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


def show(instance: Instance, doing: str | None = None) -> None:
    """Show in the Web UI where an instance is.

    Args:
        instance: The instance.
        doing: What it does or waits for, in plain words; None keeps what was given last.
    """
    if doing is not None:
        instance.doing = doing
    workflow.set_current_details(render(instance, instance.doing))


def render(instance: Instance, doing: str) -> str:
    """Return where an instance is, as Markdown.

    Args:
        instance: The instance.
        doing: What it does or waits for, in plain words.
    """
    lines = [_headline(instance, doing), *_remarks(instance)]
    rows = [
        f"| {record['seq']} | {escape(record['step'], 40)} | {escape(record['result'])} | {_when(record['at'])} |"
        for record in list(instance.state.trace.entries)[-_STEPS:]
    ]
    # Text in other scripts takes up to four bytes a character: drop the oldest rows until it fits.
    while rows and len("\n".join([*lines, *rows]).encode("utf-8", "replace")) > _BYTES:
        del rows[0]
    if rows:
        lines += ["", "| # | step | result | began at, UTC |", "|---|---|---|---|"]
    return "\n".join([*lines, *rows])


def _headline(instance: Instance, doing: str) -> str:
    here = instance.position
    line = f"**{escape(here.step or 'end')}**: {escape(doing, 300)}"
    if here.until is not None and here.until <= instance.deadline:
        return f"{line}, until {_when(here.until)} UTC"
    if here.waits:
        return f"{line}; the journey's own time ends at {_when(instance.deadline)} UTC"
    return line


def _remarks(instance: Instance) -> list[str]:
    remarks = []
    if instance.paused and instance.arrivals.ending is None:
        by = " and ".join(_PAUSED_BY[reason] for reason in instance.state.pauses.reasons)
        remarks.append(f"**Paused** {by}: no new step starts until it is resumed; timers keep running")
    if instance.arrivals.holding:
        remarks.append("an event may end it: decided as soon as the profile is read")
    if pending := len(instance.state.inbox):
        remarks.append(f"{_events(pending)} pending: offered to the next wait")
    if dropped := instance.state.inbox.dropped:
        remarks.append(f"{_events(dropped)} dropped: too many were pending")
    if (error := instance.state.last_error) is not None:
        where, code = escape(str(error["step"])), escape(str(error["code"]))
        remarks.append(f"last error: {code} at {where}")
    # The Web UI keeps line breaks, and its box is small: no empty lines between the remarks.
    return remarks


def _events(count: int) -> str:
    return "1 event" if count == 1 else f"{count} events"


def _when(moment: datetime | str) -> str:
    text = moment if isinstance(moment, str) else moment.isoformat(timespec="seconds")
    return text[:19].replace("T", " ")
