"""The life of a journey: its states, and what may be done in which. One table, in code, docs and tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

JourneyState = Literal["draft", "live", "paused", "closed", "stopped", "finished"]
"""What a journey can be."""

Act = Literal["publish", "reopen", "pause", "resume", "close", "stop"]
"""What an operator can do with a journey."""

Kind = Literal["pause", "resume", "stop"]
"""What an operation does with instances."""

STATES: tuple[JourneyState, ...] = get_args(JourneyState)
ACTS: tuple[Act, ...] = get_args(Act)


@dataclass(frozen=True, slots=True)
class Allowed:
    """An act that is allowed in a state.

    Attributes:
        state: The journey's state behind it.
        effect: What it does, a sentence.
        operation: What is done with the instances in the background.
    """

    state: JourneyState
    effect: str
    operation: Kind | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """An act that is refused in a state.

    Attributes:
        reason: Why, a clause that follows the journey's name.
        instead: What is possible, a sentence.
    """

    reason: str
    instead: str


Cell = Allowed | Refused

_NEW = "The new version lets profiles in; those inside finish on theirs."
_AGAIN = "The newest version is published once more, under the next number, and lets profiles in."
_OF_A_DRAFT = Refused("is a draft, which nobody has entered", "Publish it, or discard the draft.")
_CLOSED_FOR_GOOD = "Publish a new version, or reopen it, to let profiles in."
_NOBODY = Refused("is finished: nobody is in it", _CLOSED_FOR_GOOD)

TABLE: Mapping[JourneyState, Mapping[Act, Cell]] = {
    "draft": {
        "publish": Allowed("live", "The draft becomes a version and lets profiles in."),
        "reopen": _OF_A_DRAFT,
        "pause": _OF_A_DRAFT,
        "resume": _OF_A_DRAFT,
        "close": _OF_A_DRAFT,
        "stop": _OF_A_DRAFT,
    },
    "live": {
        "publish": Allowed("live", _NEW),
        "reopen": Refused("is live: there is nothing to reopen", "Publish changes as a new version."),
        "pause": Allowed("paused", "Lets nobody in, and every instance freezes.", "pause"),
        "resume": Allowed("live", "Instances that are still paused with the journey go on.", "resume"),
        "close": Allowed("closed", "Lets nobody in; those inside finish."),
        "stop": Allowed("stopped", "Lets nobody in, and every instance ends as stopped.", "stop"),
    },
    "paused": {
        "publish": Allowed(
            "paused", "The new version waits: it lets profiles in once the journey is resumed."
        ),
        "reopen": Refused("is paused, not closed", "Resume it."),
        "pause": Allowed("paused", "Instances that go on all the same freeze.", "pause"),
        "resume": Allowed(
            "live", "Lets profiles in, and every instance that was paused with it goes on.", "resume"
        ),
        "close": Refused(
            "is paused, and its instances could not finish", "Resume it and close it then, or stop it."
        ),
        "stop": Allowed("stopped", "Every instance ends as stopped.", "stop"),
    },
    "closed": {
        "publish": Allowed("live", _NEW),
        "reopen": Allowed("live", _AGAIN),
        "pause": Refused(
            "is closed: those inside are finishing",
            "Pause one version with --version, or single instances; or stop the journey.",
        ),
        "resume": Refused("is closed, not paused", _CLOSED_FOR_GOOD),
        "close": Allowed("closed", "Nothing changes."),
        "stop": Allowed("stopped", "Every instance ends as stopped.", "stop"),
    },
    "stopped": {
        "publish": Allowed("live", "The new version lets profiles in."),
        "reopen": Allowed("live", _AGAIN),
        "pause": Refused("is stopped: its instances have ended or are about to", _CLOSED_FOR_GOOD),
        "resume": Refused("is stopped: its instances have ended or are about to", _CLOSED_FOR_GOOD),
        "close": Refused("is stopped, which lets nobody in either", _CLOSED_FOR_GOOD),
        "stop": Allowed("stopped", "Instances that are still there end as stopped.", "stop"),
    },
    "finished": {
        "publish": Allowed("live", "The new version lets profiles in."),
        "reopen": Allowed("live", _AGAIN),
        "pause": _NOBODY,
        "resume": _NOBODY,
        "close": _NOBODY,
        "stop": _NOBODY,
    },
}
"""What each act does in each state. Pausing, resuming and stopping can also be limited to one version, see
`steering.act_on_version`: that leaves the journey's state alone."""


def possible(state: JourneyState) -> list[Act]:
    """Return what can be done in a state."""
    return [act for act in ACTS if isinstance(TABLE[state][act], Allowed)]


class ActRefused(Exception):
    """An act that the journey's state does not allow.

    Attributes:
        message: Why, and what is possible instead, for people.
        state: The state.
        possible: What can be done in it.
    """

    def __init__(self, message: str, state: JourneyState) -> None:
        super().__init__(message)
        self.message = message
        self.state = state
        self.possible = possible(state)


def allow(journey: str, state: JourneyState, act: Act) -> Allowed:
    """Return what an act does.

    Raises:
        ActRefused: The state does not allow it.
    """
    cell = TABLE[state][act]
    if isinstance(cell, Refused):
        raise _refusal(cell, journey, state)
    return cell


def refused_draft(journey: str) -> ActRefused:
    """Return the refusal of what needs instances, which a draft has none of."""
    return _refusal(_OF_A_DRAFT, journey, "draft")


def _refusal(cell: Refused, journey: str, state: JourneyState) -> ActRefused:
    return ActRefused(f"{journey} {cell.reason}. {cell.instead}", state)


def markdown() -> str:
    """Return the page `docs/reference/lifecycle.md`."""
    lines = [_HEAD, "| state | " + " | ".join(f"`{act}`" for act in ACTS) + " |"]
    lines.append("|---" * (len(ACTS) + 1) + "|")
    for state in STATES:
        shown = [_short(cell) for cell in (TABLE[state][act] for act in ACTS)]
        lines.append(f"| `{state}` | " + " | ".join(shown) + " |")
    lines.append(_FOOT)
    for state in STATES:
        lines += ["", f"### In the state `{state}`", ""]
        for act in ACTS:
            cell = TABLE[state][act]
            what = (
                f"`{cell.state}`. {cell.effect}"
                if isinstance(cell, Allowed)
                else f"refused: the journey {cell.reason}. {cell.instead}"
            )
            lines.append(f"- `{act}`: {what}")
    return "\n".join(lines) + "\n"


def _short(cell: Cell) -> str:
    return f"→ {cell.state}" if isinstance(cell, Allowed) else "refused"


_HEAD = """\
# Lifecycle of journeys

<!-- Made by `python -m sojourn.contract.journey_states > docs/reference/lifecycle.md`. Do not edit. -->

A journey is in one of six states. [Pause, close and stop journeys](../how-to/pause-close-stop.md) shows how they are
changed.

| state | who enters | who is inside |
|---|---|---|
| `draft` | nobody | nobody: no version of it was published yet |
| `live` | profiles, within its `start` and `end` | goes on |
| `paused` | nobody: `paused` | frozen |
| `closed` | nobody: `not_live` | goes on to its end |
| `stopped` | nobody: `not_live` | has ended as `stopped`, or is about to |
| `finished` | nobody: `not_live`, or `outside_dates` | nobody: the last one left after the journey closed or ended |

The state is that of the newest published version; those before it are closed. A draft of the next version changes
nothing about it. A journey becomes `finished` by itself: API processes look once an hour, and whenever somebody reads
the journey.

## What can be done
"""

_FOOT = """
`publish` makes a new version, of a project or of a draft; `reopen` makes one of the newest version as it is, since
publishing what has not changed makes none. What is refused is answered with the problem
[`/problems/not-in-this-state`](problems.md#not-in-this-state), which says why and what is possible.

`pause`, `resume` and `stop` of one version (`--version`, `?version=`) act on the instances of that version and leave
the state alone. They are possible in every state but `draft`. Of a journey that is live, the newest version cannot be
paused or stopped alone: profiles enter it.

`move`, to the newest version, is possible in every state but `draft`, and changes none; see
[Change a running journey](../how-to/change-a-running-journey.md). Paused instances are moved as well, and stay
paused."""


if __name__ == "__main__":
    print(markdown(), end="")
