"""What the demo shop has been asked, what it has done, and when it is to fail on purpose."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sojourn.cli.demos.people import Person

Fault = Literal["none", "drop", "double"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the shop answers.

    Attributes:
        status: HTTP status.
        body: JSON body.
        delay: Seconds before it is sent.
    """

    status: int
    body: dict[str, Any]
    delay: float = 0.0


@dataclass(slots=True)
class Ledger:
    """Every call the shop got and every effect it had.

    Attributes:
        people: The customers that the CRM knows of, by id; others than these are not found.
        flaky: Of the calls with an effect, every n-th new one fails at its first attempt, in turns before and
            after its effect. 0: none.
        fault: A defect that a correct count must notice: `drop` forgets the first effect that it confirmed,
            `double` has it twice.
        calls: Every call with an effect, repeats too, in order.
        effects: What was really done, in order.
        lookups: Every look-up, in order.
    """

    people: Mapping[str, Person]
    flaky: int = 0
    fault: Fault = "none"
    calls: list[dict[str, Any]] = field(default_factory=list)
    effects: list[dict[str, Any]] = field(default_factory=list)
    lookups: list[dict[str, Any]] = field(default_factory=list)
    _done: dict[tuple[str, str], Answer] = field(default_factory=dict)
    _attempts: Counter[tuple[str, str]] = field(default_factory=Counter)
    _order: dict[tuple[str, str], int] = field(default_factory=dict)
    _fault_done: bool = False

    def look_up(self, customer: str) -> Answer:
        """Answer the question who a customer is."""
        answer = self._look_up(customer)
        self.lookups.append({"customer": customer, "status": answer.status})
        return answer

    def _look_up(self, customer: str) -> Answer:
        person = self.people.get(customer)
        if person is None or not person.known:
            return Answer(404, {"error": "no such customer"})
        self._attempts["lookup", customer] += 1
        if self._attempts["lookup", customer] <= person.lookup_failures:
            return Answer(503, {"error": "try again later"})
        body = {"id": person.id, "email": person.email, "optIn": person.opt_in}
        return Answer(200, body, person.lookup_seconds)

    def act(self, channel: str, key: str | None, body: Any) -> Answer:
        """Do what is asked, once for each idempotency key.

        Args:
            channel: Which of the shop's systems is called: `messages`, `members` or `coupons`.
            key: The call's `Idempotency-Key`. Without one, each call has its effect.
            body: The JSON body of the request.
        """
        known = key is not None and (channel, key) in self._done
        answer = self._act(channel, key or secrets.token_hex(8), body)
        self.calls.append(
            {"channel": channel, "key": key, "status": answer.status, "repeat": known, "body": body}
        )
        return answer

    def _act(self, channel: str, key: str, body: Any) -> Answer:
        failures, lost = self._mishaps(channel, key, body)
        self._attempts[channel, key] += 1
        attempt = self._attempts[channel, key]
        if attempt <= failures:
            return Answer(500, {"error": "the shop failed, and did nothing"})
        if (channel, key) not in self._done:
            self._done[channel, key] = self._take(channel, key, body)
        if attempt - failures <= lost:
            return Answer(500, {"error": "the shop failed, after it had done its work"})
        return self._done[channel, key]

    def _take(self, channel: str, key: str, body: Any) -> Answer:
        number = f"{channel}-{len(self._done) + 1:05d}"
        effect = {"channel": channel, "key": key, "id": number, "body": body}
        copies = [effect]
        if self.fault != "none" and not self._fault_done:
            self._fault_done = True
            copies = [] if self.fault == "drop" else [effect, {**effect, "key": secrets.token_hex(8)}]
        self.effects.extend(copies)
        return Answer(200, {"id": number, "messageId": number})

    def _mishaps(self, channel: str, key: str, body: Any) -> tuple[int, int]:
        """Return how often a call fails before its effect, and how often after it."""
        recipient = str(body.get("to", "")) if isinstance(body, dict) else ""
        person = self.people.get(recipient.partition("@")[0])
        if person is not None:
            return person.mail_failures, person.mail_lost_answers
        if not self.flaky:
            return 0, 0
        place = self._order.setdefault((channel, key), len(self._order) + 1)
        if place % self.flaky:
            return 0, 0
        return (1, 0) if place % (2 * self.flaky) else (0, 1)

    def counts(self) -> dict[str, Any]:
        """Return the numbers that a caller can wait for."""
        return {
            "lookups": len(self.lookups),
            "calls": len(self.calls),
            "effects": dict(Counter(effect["channel"] for effect in self.effects)),
            "repeats": sum(call["repeat"] for call in self.calls),
        }

    def log(self) -> dict[str, Any]:
        """Return everything, as JSON."""
        return {"lookups": self.lookups, "calls": self.calls, "effects": self.effects}
