"""A small workflow that stands in for the interpreter: it keeps what it is sent, and ends when told."""

from __future__ import annotations

from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from sojourn.contract import names


@workflow.defn(name=names.WORKFLOW_JOURNEY)
class Recorder:
    """Ends at once where the definition says `"ends"`, else on the event `finish`; fails on the event `fail`."""

    @workflow.init
    def __init__(self, start: dict[str, Any]) -> None:
        self.start = start
        self.events: list[dict[str, Any]] = []
        self.ending: str | None = "at once" if start["definition"].get("ends") else None

    @workflow.run
    async def run(self, start: dict[str, Any]) -> dict[str, Any]:
        await workflow.wait_condition(lambda: self.ending is not None)
        result = {
            "journey": start["definition"]["name"],
            "version": start["definition"]["version"],
            "profile": start["key"],
            "outcome": "completed",
            "text": self.ending,
            "entered_at": "2026-03-01T12:00:00Z",
            "ended_at": "2026-03-01T13:00:00Z",
            "steps": [{"seq": 1, "step": "only"}],
            "dropped": 0,
            "events": [event["id"] for event in self.events],
        }
        if self.ending == "fail":
            error = {"step": "only", "code": "http_500", "status": 500, "message": "the mailer is down"}
            details = result | {"outcome": "failed", "error": error}
            raise ApplicationError(
                "the mailer is down", details, type=names.ERROR_JOURNEY_FAILED, non_retryable=True
            )
        return result

    @workflow.signal(name=names.SIGNAL_EVENT)
    def event(self, event: dict[str, Any]) -> None:
        self.events.append(event)
        if event["name"] in ("finish", "fail"):
            self.ending = event["name"]

    @workflow.query(name=names.QUERY_STATE)
    def state(self) -> dict[str, Any]:
        return {
            "journey": self.start["definition"]["name"],
            "version": self.start["definition"]["version"],
            "instance": workflow.info().workflow_id,
            "profile": self.start["key"],
            "status": "running",
            "step": "only",
            "kind": "wait_for",
            "waiting_for": ["finish"],
            "until": None,
            "entered_at": "2026-03-01T12:00:00Z",
            "pending": 0,
            "dropped": 0,
            "steps": [{"seq": 1, "step": "only"}],
            "last_error": None,
            "events": self.events,
            "start": self.start,
        }
