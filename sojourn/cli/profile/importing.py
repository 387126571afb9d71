"""Sending batches of profiles, patiently, and counting what became of them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sojourn.cli.api_client import ApiClient
from sojourn.cli.profile.reading import Item, ProfileBatch
from sojourn.cli.send.reader import BadLine
from sojourn.cli.send.retry import PatientSender

KEPT_REFUSALS = 1000
"""Refusals that are kept one by one; all are counted."""


@dataclass
class ImportTally:
    """What became of the profiles.

    Attributes:
        statuses: Profiles by status: created, updated, unchanged, refused.
        refusals: The first refusals, with their lines.
        bad_lines: Lines that held no profile.
    """

    statuses: Counter[str] = field(default_factory=Counter)
    refusals: list[dict[str, Any]] = field(default_factory=list)
    bad_lines: list[BadLine] = field(default_factory=list)

    @property
    def answered(self) -> int:
        """Profiles that got an answer."""
        return self.statuses.total()

    @property
    def clean(self) -> bool:
        """Whether every line was a profile that could be kept."""
        return not self.bad_lines and not self.statuses["refused"]

    def count(self, item: Item, result: dict[str, Any]) -> None:
        """Count one answer."""
        self.statuses[str(result.get("status"))] += 1
        if result.get("status") == "refused" and len(self.refusals) < KEPT_REFUSALS:
            found = {"line": item.line, "key": result.get("key"), "violations": result.get("violations", [])}
            self.refusals.append(found)

    def wrong(self) -> list[tuple[int, str]]:
        """Return the lines that were not taken, in order, each with what is wrong with it."""
        found = [(bad.line, bad.message) for bad in self.bad_lines]
        for refusal in self.refusals:
            said = (f"{v.get('path') or 'the profile'}: {v.get('message')}" for v in refusal["violations"])
            found.append((refusal["line"], "; ".join(said)))
        return sorted(found)

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON for programs."""
        return {
            **{name: self.statuses[name] for name in ("created", "updated", "unchanged", "refused")},
            "refusals": self.refusals,
            "bad_lines": [{"line": bad.line, "message": bad.message} for bad in self.bad_lines],
        }


class Importer:
    """Sends batches through one connection, trying again for a while where that can help."""

    def __init__(
        self,
        api: ApiClient,
        *,
        replace: bool,
        patience: float,
        notify: Callable[[str], None],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Prepare to send.

        Args:
            api: An open connection.
            replace: Replace all attributes of each profile, instead of merging.
            patience: Seconds for which a batch is tried again while the API or its database is away.
            notify: Called with a sentence when there is something to wait for.
            sleep: Waits for some seconds.
        """
        self._api = api
        self._method = "PUT" if replace else "PATCH"
        self._sender = PatientSender(self._post, self._settle, patience=patience, notify=notify, sleep=sleep)
        self.tally = ImportTally()

    def send(self, batch: ProfileBatch) -> None:
        """Send a batch until each of its profiles has its answer.

        Raises:
            ApiUnreachableError: Nothing answered for as long as the patience lasts.
            ApiRefusedError: The whole request is refused, or the API stayed unavailable for that long.
        """
        self.tally.bad_lines += batch.bad
        self._sender.send(batch.items)

    def _post(self, items: list[Item]) -> dict[str, Any]:
        body = b"[" + b",".join(item.text for item in items) + b"]"
        answer: dict[str, Any] = self._api.post_text("/v1/profiles", body, method=self._method)
        return answer

    def _settle(self, item: Item, result: dict[str, Any]) -> bool:
        # What was written although the answer got lost is unchanged next time.
        self.tally.count(item, result)
        return True
