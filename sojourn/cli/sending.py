"""Sending batches of events, patiently, and counting what became of them."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sojourn.cli.api_client import ApiClient, ApiRefusedError, ApiUnreachableError
from sojourn.cli.reading import BadLine, Batch

KEPT_REFUSALS = 1000
"""Refusals that are kept one by one, besides mistakes; all are counted."""

MISTAKES = ("invalid", "no_key")
"""Reasons of refusals that mean that an event itself is wrong."""

DEFAULT_PAUSE = 2.0
"""Seconds between two attempts where the API names no time."""


@dataclass
class Tally:
    """What became of the events.

    Attributes:
        sent: Events that got an answer.
        statuses: Events by status: accepted, duplicate, refused.
        effects: Instances by what happened to them: started, signalled.
        reasons: Refusals by reason.
        refusals: The first refusals, with their lines.
        bad_lines: Lines that held no event.
        unprotected: Events that had no id of their own.
    """

    sent: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    effects: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    refusals: list[dict[str, Any]] = field(default_factory=list)
    bad_lines: list[BadLine] = field(default_factory=list)
    unprotected: int = 0

    @property
    def clean(self) -> bool:
        """Whether every line was an event whose data are right."""
        return not self.bad_lines and not any(self.reasons[reason] for reason in MISTAKES)

    @property
    def mistakes(self) -> list[dict[str, Any]]:
        """The refusals that are due to the event itself, not to where its profile stands."""
        return [refusal for refusal in self.refusals if refusal.get("reason") in MISTAKES]

    def count(self, line: int, result: dict[str, Any]) -> None:
        """Count one answer.

        Args:
            line: The line that the event came from.
            result: The API's result for it.
        """
        self.sent += 1
        self.statuses[str(result.get("status"))] += 1
        for instance in result.get("instances", []):
            self.effects[str(instance.get("effect"))] += 1
        for refusal in result.get("refusals", []):
            self.reasons[str(refusal.get("reason"))] += 1
            if refusal.get("reason") in MISTAKES or len(self.refusals) < KEPT_REFUSALS:
                self.refusals.append({"line": line, "id": result.get("id")} | refusal)

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON for programs."""
        return {
            "sent": self.sent,
            "accepted": self.statuses["accepted"],
            "duplicate": self.statuses["duplicate"],
            "refused": self.statuses["refused"],
            "started": self.effects["started"],
            "signalled": self.effects["signalled"],
            "reasons": dict(self.reasons),
            "refusals": self.refusals,
            "bad_lines": [{"line": bad.line, "message": bad.message} for bad in self.bad_lines],
            "unprotected": self.unprotected,
        }


class Sender:
    """Sends batches through one connection, trying again for a while where that can help."""

    def __init__(
        self,
        api: ApiClient,
        *,
        patience: float,
        notify: Callable[[str], None],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Prepare to send.

        Args:
            api: An open connection.
            patience: Seconds for which a batch is tried again while the API or what it needs is away.
            notify: Called with a sentence when there is something to wait for.
            sleep: Waits for some seconds.
        """
        self._api = api
        self._patience = patience
        self._notify = notify
        self._sleep = sleep
        self.tally = Tally()

    def send(self, batch: Batch) -> None:
        """Send a batch until each of its events has its answer.

        Raises:
            ApiUnreachableError: Nothing answered for as long as the patience lasts.
            ApiRefusedError: The whole request is refused, or the API stayed unavailable for that long.
        """
        self.tally.bad_lines += batch.bad
        self.tally.unprotected += batch.unprotected
        self._send(list(zip(batch.lines, batch.events, strict=True)))

    def _send(self, open_events: list[tuple[int, dict[str, Any]]]) -> None:
        deadline = time.monotonic() + self._patience
        while open_events:
            try:
                answer = self._api.post_text("/v1/events", _encode([event for _, event in open_events]))
            except ApiRefusedError as error:
                if error.status == 413 and len(open_events) > 1:
                    middle = len(open_events) // 2
                    self._send(open_events[:middle])
                    self._send(open_events[middle:])
                    return
                if error.status < 500 and error.status != 429:
                    raise
                open_events = self._settle(open_events, error.problem.get("results"))
                self._wait(error, error.retry_after, deadline)
            except ApiUnreachableError as error:
                # What was taken although the answer got lost is a duplicate next time: every event has an id.
                if not self.tally.sent and self._patience and "nothing answers" in str(error):
                    raise
                self._wait(error, None, deadline)
            else:
                open_events = self._settle(open_events, answer["results"])
                if open_events:
                    self._wait(ApiUnreachableError("some events were not taken"), None, deadline)

    def _settle(
        self, events: list[tuple[int, dict[str, Any]]], results: object
    ) -> list[tuple[int, dict[str, Any]]]:
        """Count the events that have a final answer; return the others."""
        if not isinstance(results, list) or len(results) != len(events):
            return events
        left = []
        for (line, event), result in zip(events, results, strict=True):
            if result.get("status") == "unavailable":
                left.append((line, event))
            else:
                self.tally.count(line, result)
        return left

    def _wait(
        self, error: ApiRefusedError | ApiUnreachableError, pause: float | None, deadline: float
    ) -> None:
        pause = DEFAULT_PAUSE if pause is None else pause
        if time.monotonic() + pause > deadline:
            raise error
        self._notify(f"{error}. Trying again in {pause:g} s.")
        self._sleep(pause)


def _encode(events: list[dict[str, Any]]) -> bytes:
    return json.dumps(events, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
