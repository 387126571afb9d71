"""The inbox of an instance: its events, each counted once, and kept until they were offered to a step.

The rule is DESIGN.md, section 4, point 4: an event that arrives while the instance works towards a wait is offered to
that wait. An event that arrives during a wait that does not listen for it is only remembered.
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
    # 64 bits for each id: 50,000 ids collide by chance in one of 10^10 instances.
    return hashlib.blake2b(event_id.encode("utf-8", "surrogatepass"), digest_size=_MARK).digest()


class Inbox:
    """Events of one instance.

    Args:
        listens: Names of the events that some step of the journey waits for.
        max_pending: Most events that may wait to be offered to a step.
        remember: Keep earlier events for `since: entry`.
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
        """Data of the last event of each name: `events["name"]` in expressions."""
        self.dropped = 0
        """How many events were dropped because too many were pending."""

    def __len__(self) -> int:
        return len(self._pending)

    def knows(self, event_id: str) -> bool:
        """Count an event id. Returns whether it was counted before."""
        mark = _fingerprint(event_id)
        if mark in self._known:
            return True
        self._known[mark] = None
        if len(self._known) > limits.KNOWN_IDS:
            del self._known[next(iter(self._known))]
        return False

    def put(self, event: EventMessage) -> bool:
        """Add a new event to the pending ones.

        Args:
            event: The event.

        Returns:
            False if it was dropped because too many events are pending.
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
        """Return whether these events could become pending, too, so that none would be dropped."""
        wanted = [event for event in events if event.name in self._listens]
        return self._has_room(len(wanted), 0) and self._has_room(len(wanted), sum(map(weight_of, wanted)))

    def _has_room(self, events: int, size: int) -> bool:
        count = len(self._pending) + events
        return count <= self.max_pending and (
            count <= 1 or self._pending_bytes + size <= limits.PENDING_BYTES
        )

    def note(self, event: EventMessage) -> None:
        """Make an event the latest of its name."""
        self.latest.pop(event.name, None)
        self.latest[event.name] = event.data
        self._latest_bytes.pop(event.name, None)
        self._latest_bytes[event.name] = weight(event.data)
        while len(self.latest) > 1 and sum(self._latest_bytes.values()) > limits.LATEST_BYTES:
            oldest = next(iter(self.latest))
            del self.latest[oldest], self._latest_bytes[oldest]

    def peek(self) -> EventMessage | None:
        """Return the oldest pending event, which stays pending; None if there is none."""
        return self._pending[0] if self._pending else None

    def take(self) -> EventMessage | None:
        """Remove the oldest pending event, remember and return it; None if there is none.

        It becomes the latest of its name only now. If it did so on arrival, it would depend on chance whether a step
        after a wait sees an event that came after the one that ended the wait.
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
        """Remove all pending events: no later step is offered them, except with `since: entry`."""
        while self.take() is not None:
            pass

    def earlier(self) -> list[EventMessage]:
        """Return the events that were offered to earlier steps and ended none of their waits, oldest first."""
        return [event for event, _ in self._remembered]

    def count(self, event: EventMessage) -> None:
        """Record that an event ended a wait: it ends no other wait, and is the latest of its name."""
        self.note(event)
        for kept in self._remembered:
            if kept[0] is event:
                self._remembered.remove(kept)
                self._remembered_bytes -= kept[1]
                break

    def shed(self) -> bool:
        """Drop half of what matters least to the instance. Returns whether there was anything to drop."""
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
        """Return the inbox as plain JSON.

        Args:
            entry: The entry event. It is carried separately, so its data is not repeated here.
        """
        return {
            "known": base64.b64encode(b"".join(self._known)).decode("ascii"),
            "pending": [dump_event(event) for event in self._pending],
            "remembered": [dump_event(event) for event, _ in self._remembered],
            # In pairs: the converter sorts mappings, but the oldest must be dropped first.
            "latest": [[name] if data is entry.data else [name, data] for name, data in self.latest.items()],
            "dropped": self.dropped,
        }

    def load(self, saved: dict[str, Any], entry: EventMessage) -> None:
        """Load what `dump` wrote in the previous run, before anything arrives in this one."""
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
    """Return the size of an event in bytes."""
    return weight(dump_event(event))


def dump_event(event: EventMessage) -> list[Any]:
    """Return an event as plain JSON that `load_event` reads."""
    return [event.id, event.name, moment(event.time), event.data]


def load_event(saved: list[Any]) -> EventMessage:
    """Return the event that `dump_event` wrote."""
    return EventMessage(saved[0], saved[1], parse_time(saved[2], "time"), saved[3])
