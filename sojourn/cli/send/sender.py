"""Sending batches of events, patiently, and counting what became of them."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sojourn.cli.api_client import ApiClient
from sojourn.cli.send.reader import BadLine, Batch
from sojourn.cli.send.retry import PatientSender

KEPT_REFUSALS = 1000
"""Refusals that are kept one by one, besides mistakes; all are counted."""

MISTAKES = ("invalid", "no_key")
"""Reasons of refusals that mean that an event itself is wrong."""


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
        self._sender = PatientSender(self._post, self._settle, patience=patience, notify=notify, sleep=sleep)
        self.tally = Tally()

    def send(self, batch: Batch) -> None:
        """Send a batch until each of its events has its answer.

        Raises:
            ApiUnreachableError: Nothing answered for as long as the patience lasts.
            ApiRefusedError: The whole request is refused, or the API stayed unavailable for that long.
        """
        self.tally.bad_lines += batch.bad
        self.tally.unprotected += batch.unprotected
        self._sender.send(list(zip(batch.lines, batch.events, strict=True)))

    def _post(self, events: list[tuple[int, dict[str, Any]]]) -> dict[str, Any]:
        # What was taken although the answer got lost is a duplicate next time: every event has an id.
        answer: dict[str, Any] = self._api.post_text("/v1/events", _encode([event for _, event in events]))
        return answer

    def _settle(self, event: tuple[int, dict[str, Any]], result: dict[str, Any]) -> bool:
        if result.get("status") == "unavailable":
            return False
        self.tally.count(event[0], result)
        return True


def _encode(events: list[dict[str, Any]]) -> bytes:
    return json.dumps(events, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
