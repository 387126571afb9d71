"""Instances as Temporal knows them: found by journey, profile and status; one of them with its steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from temporalio.client import Client

STATUSES = ("running", "completed", "failed", "canceled", "terminated", "timed_out")
"""What an instance's workflow can be, in Temporal's words."""


@dataclass(frozen=True, slots=True)
class InstancePage:
    """Some instances, and how to get the next ones.

    Attributes:
        instances: Newest first. Each is `{"workflow_id", "run_id", "journey", "version", "profile", "step",
            "status", "entered_at", "ended_at"}`; what is not known is None.
        next_page: What to give as `page` for the instances that follow; None at the end.
    """

    instances: list[dict[str, Any]]
    next_page: str | None


class InstanceNotFound(Exception):
    """There is no such instance, or Temporal no longer keeps it."""


async def list_instances(
    client: Client,
    *,
    journey: str | None = None,
    profile: str | None = None,
    status: str | None = None,
    limit: int = 50,
    page: str | None = None,
    private_keys: bool = False,
) -> InstancePage:
    """Find instances. What happened in the last second or so may be missing.

    Args:
        client: A client of Temporal.
        journey: Only instances of this journey.
        profile: Only instances of this profile key.
        status: Only instances in this state, see `STATUSES`.
        limit: Most instances to return, 1 to 1,000.
        page: `next_page` of the page before.
        private_keys: The deployment hashes profile keys, see `Settings.private_keys`.

    Raises:
        ValueError: The status or the page is none.
        RoutingUnavailable: Temporal cannot be reached.
    """
    raise NotImplementedError


async def read_instance(client: Client, workflow_id: str, run_id: str | None = None) -> dict[str, Any]:
    """Read one instance with its steps, running or ended.

    Args:
        client: A client of Temporal.
        workflow_id: The instance, `<journey>:<profile>`.
        run_id: One run of several with that id; None: the latest.

    Returns:
        Plain JSON, the same keys for running and ended instances: `workflow_id, run_id, journey, version,
        profile, status` (see `STATUSES`), `paused` (bool), `outcome` and `text` (None while running), `step,
        kind, waiting_for, until` (where it stands; None when ended), `pending, dropped, entered_at, ended_at,
        steps` (the trace), `last_error, error`, and `source`: `worker` (asked just now), `result` (it ended
        and said so) or `temporal` (nothing but what Temporal itself knows: no worker answered, so `steps` is
        None).

    Raises:
        InstanceNotFound: There is no such instance.
        RoutingUnavailable: Temporal cannot be reached.
    """
    raise NotImplementedError
