"""How a call queues: what the workflow reads from a compiled journey and from a worker's rejection."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError

from sojourn.contract import names
from sojourn.workflows.throttling.queued_call import QueuedCall, must_queue

RETRIES = RetryPolicy(maximum_attempts=4)


def rejection(*details: Any, kind: str = names.ERROR_MUST_QUEUE) -> ApplicationError:
    """Return the failure with which a worker rejects a call."""
    return ApplicationError("throttled by now", *details, type=kind)


def test_a_rejection_says_how_to_queue() -> None:
    """The rest of the window and of the attempts goes along."""
    found = must_queue(rejection({"queue": "q", "expire": 60, "window": 12.5, "attempts": 3}))
    assert found == QueuedCall("q", 60, 12.5, 3)
    assert must_queue(rejection({"queue": "q", "expire": 60})) == QueuedCall("q", 60)


@pytest.mark.parametrize(
    "error",
    [rejection(), rejection({"queue": "q", "expire": 1}, kind=names.ERROR_CALL), ApplicationError("x")],
)
def test_other_failures_do_not_queue(error: ApplicationError) -> None:
    """Neither one without details, nor one of another type."""
    assert must_queue(error) is None


@pytest.mark.parametrize("journey", ["j", "a" * 200, "ä" * 40, "日" * 30, "a" * 63 + "é"])
def test_the_fairness_key_fits(journey: str) -> None:
    """Temporal takes 64 bytes; a name is cut between characters, never within one."""
    key = QueuedCall("q", 60).options(journey, RETRIES)["priority"].fairness_key
    assert len(key.encode()) <= 64
    assert journey.startswith(key)
    assert len(key) > 15 or key == journey


def test_options_differ_only_in_what_queues() -> None:
    """Attempts that were made elsewhere are not made again here."""
    options = QueuedCall("q", 60).options("j", RETRIES)
    assert "retry_policy" not in options
    assert options["task_queue"] == "q"
    assert options["schedule_to_start_timeout"] == timedelta(minutes=1)
    assert QueuedCall("q", 60, None, 2).options("j", RETRIES)["retry_policy"].maximum_attempts == 2
