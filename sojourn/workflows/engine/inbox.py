"""The events that an instance has received: each counted once, kept until a step has been offered them.

DESIGN.md, section 4, point 4 is the rule: what arrives while the instance works towards a wait is offered to that wait;
what arrives during a wait that does not listen for it is only remembered.
"""

from __future__ import annotations

import base64
import hashlib
from collections import deque
from collections.abc import Sequence
from typing import Any

from sojourn.workflows.engine import limits
from sojourn.workflows.engine.messages import EventMessage, parse_time
from sojourn.workflows.engine.values import moment, weight

_MARK = 8


def _fingerprint(event_id: str) -> bytes:
    # 64 bits for each id: 50,000 of them meet by chance once in 10^10 instances.
    return hashlib.blake2b(event_id.encode("utf-8", "surrogatepass"), digest_size=_MARK).digest()


class Inbox:
    """Events of one instance.

    Args:
        listens: Names of the events that some step of the journey waits for.
        max_pending: Most events that wait to be offered to a step.
        remember: Whether earlier events are kept for `since: entry`.
    """

    def __init__(self, listens: list[str], *, max_pending: int, remember: bool) -> None:
        self._listens = frozenset(listens)
        self.max_pending = max_pending
        self._remember = remember
        self._known: dict[bytes, None] = {}
        self._pending: deque[EventMessage] = deque()
        self._pending_bytes = 0
        self._remembered: deque[tuple[EventMessage, int]] = deque()
        self._remembered_bytes = 0
        self._latest_bytes: dict[str, int] = {}
        self.latest: dict[str, Any] = {}
        """Data of the last event of each name: what `events["name"]` is in expressions."""
        self.dropped = 0
        """How many events were dropped because too many were pending."""

    def __len__(self) -> int:
        return len(self._pending)

    def knows(self, event_id: str) -> bool:
        """Say whether an event of this id was counted before, and count it now."""
        mark = _fingerprint(event_id)
        if mark in self._known:
            return True
        self._known[mark] = None
        if len(self._known) > limits.KNOWN_IDS:
            del self._known[next(iter(self._known))]
        return False

    def put(self, event: EventMessage) -> bool:
        """Keep an event that was not known.

        Args:
            event: The event.

        Returns:
            Whether it is kept; False where too many are pending already.
        """
        if event.name not in self._listens:
            return True
        size = weight_of(event)
        if not self._has_room(1, size):
            self.dropped += 1
            return False
        self._pending.append(event)
        self._pending_bytes += size
        return True

    def holds(self, events: Sequence[EventMessage]) -> bool:
        """Say whether these events could be kept beside those that are pending, so that none would be dropped."""
        wanted = [event for event in events if event.name in self._listens]
        return self._has_room(len(wanted), 0) and self._has_room(len(wanted), sum(map(weight_of, wanted)))

    def _has_room(self, events: int, size: int) -> bool:
        count = len(self._pending) + events
        return count <= self.max_pending and (
            count <= 1 or self._pending_bytes + size <= limits.PENDING_BYTES
        )

    def note(self, event: EventMessage) -> None:
        """Let `events[name]` be this event's data from now on."""
        self.latest.pop(event.name, None)
        self.latest[event.name] = event.data
        self._latest_bytes.pop(event.name, None)
        self._latest_bytes[event.name] = weight(event.data)
        while len(self.latest) > 1 and sum(self._latest_bytes.values()) > limits.LATEST_BYTES:
            oldest = next(iter(self.latest))
            del self.latest[oldest], self._latest_bytes[oldest]

    def peek(self) -> EventMessage | None:
        """Return the oldest pending event and leave it there, or nothing."""
        return self._pending[0] if self._pending else None

    def take(self) -> EventMessage | None:
        """Return the oldest pending event and remember it, or nothing.

        Only now is it the latest of its name: were it so on arrival, a step behind a wait could see an event that came
        after the one that ended the wait, or not, as chance would have it.
        """
        if not self._pending:
            return None
        event = self._pending.popleft()
        size = weight_of(event)
        self._pending_bytes -= size
        self.note(event)
        if self._remember:
            self._remembered.append((event, size))
            self._remembered_bytes += size
            while self._remembered_bytes > limits.REMEMBERED_BYTES:
                self._remembered_bytes -= self._remembered.popleft()[1]
        return event

    def discard(self) -> None:
        """Let no later step see what is pending now; `since: entry` still does."""
        while self.take() is not None:
            pass

    def earlier(self) -> list[EventMessage]:
        """Return the events that were offered to earlier steps and ended none of their waits, oldest first."""
        return [event for event, _ in self._remembered]

    def count(self, event: EventMessage) -> None:
        """Let an event have ended a wait: it ends no other one, and is the latest of its name."""
        self.note(event)
        for kept in self._remembered:
            if kept[0] is event:
                self._remembered.remove(kept)
                self._remembered_bytes -= kept[1]
                break

    def shed(self) -> bool:
        """Let go of half of what an instance can best do without; says whether there was any."""
        if self._remembered:
            for _ in range((len(self._remembered) + 1) // 2):
                self._remembered_bytes -= self._remembered.popleft()[1]
        elif len(self.latest) > 1:
            for name in list(self.latest)[: len(self.latest) // 2]:
                del self.latest[name], self._latest_bytes[name]
        elif len(self._known) > limits.KNOWN_IDS_KEPT:
            for mark in list(self._known)[: -max(limits.KNOWN_IDS_KEPT, len(self._known) // 2)]:
                del self._known[mark]
        elif len(self._pending) > 1:
            for _ in range(len(self._pending) // 2):
                self._pending_bytes -= weight_of(self._pending.pop())
                self.dropped += 1
        else:
            return False
        return True

    def dump(self, entry: EventMessage) -> dict[str, Any]:
        """Return everything as plain JSON, to be carried over.

        Args:
            entry: The entry event, which is carried beside: its data is not repeated.
        """
        return {
            "known": base64.b64encode(b"".join(self._known)).decode("ascii"),
            "pending": [dump_event(event) for event in self._pending],
            "remembered": [dump_event(event) for event, _ in self._remembered],
            # In pairs, since the converter sorts mappings, and the oldest is to make room first.
            "latest": [[name] if data is entry.data else [name, data] for name, data in self.latest.items()],
            "dropped": self.dropped,
        }

    def load(self, saved: dict[str, Any], entry: EventMessage) -> None:
        """Take over what `dump` wrote in an earlier run, before anything arrives in this one."""
        marks = base64.b64decode(saved["known"])
        self._known = dict.fromkeys(marks[at : at + _MARK] for at in range(0, len(marks), _MARK))
        self.latest = {name: data[0] if data else entry.data for name, *data in saved["latest"]}
        self._latest_bytes = {name: weight(data) for name, data in self.latest.items()}
        self.dropped = saved["dropped"]
        for event in map(load_event, saved["pending"]):
            self._pending.append(event)
            self._pending_bytes += weight_of(event)
        for event in map(load_event, saved["remembered"]):
            size = weight_of(event)
            self._remembered.append((event, size))
            self._remembered_bytes += size


def weight_of(event: EventMessage) -> int:
    """Return how many bytes an event takes where it is kept."""
    return weight(dump_event(event))


def dump_event(event: EventMessage) -> list[Any]:
    """Return an event as plain JSON that `load_event` reads."""
    return [event.id, event.name, moment(event.time), event.data]


def load_event(saved: list[Any]) -> EventMessage:
    """Return the event that `dump_event` wrote."""
    return EventMessage(saved[0], saved[1], parse_time(saved[2], "time"), saved[3])
