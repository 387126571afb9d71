"""Profiles and journeys in real processes: what a service writes decides a branch, what a journey writes is read."""

from __future__ import annotations

from pathlib import Path

import httpx

from tests.cli.conftest import DevRun, dev_ports
from tests.cli.support import running, until

PROJECT = """
event: visit.made
key: event.customerId
schema: {type: object, required: [customerId], properties: {customerId: {type: string}}}
---
profile: customer
schema: {type: object, properties: {plan: {type: string}, visits: {type: integer}}}
---
journey: visit
entry: {event: visit.made}
steps:
  is-gold:
    condition:
      - {when: "default(profile.plan, 'free') == 'gold'", next: count}
    else: free
    on_error: failed
  count:
    update_profile: {visits: "${default(profile.visits, 0) + 1}"}
    on_error: failed
  gold: {end: "visit ${profile.visits}"}
  free: {end: free}
  failed: {end: "${journey.last_error.code}"}
"""


def test_a_journey_reads_and_writes_profiles_over_real_processes(tmp_path: Path) -> None:
    """The branch is the one of the profile that the API has, and the API has what the journey wrote."""
    (tmp_path / "project.yaml").write_text(PROJECT)
    with running("dev", ".", *dev_ports(), cwd=tmp_path) as process:
        process.until("Running.")
        dev = DevRun(tmp_path, process)
        with httpx.Client(base_url=dev.api, trust_env=False, timeout=20) as api:
            written = api.put("/v1/profiles/ann", json={"attributes": {"plan": "gold", "visits": 6}})
            assert written.is_success
            events = [
                {"name": "visit.made", "id": f"v-{key}", "data": {"customerId": key}}
                for key in ("ann", "bob")
            ]
            assert api.post("/v1/events", json=events).status_code == 202
            until(lambda: dev.outcome("visit:ann") == "completed: visit 7", 60)
            until(lambda: dev.outcome("visit:bob") == "completed: free", 60)
            assert api.get("/v1/profiles/ann").json()["attributes"] == {"plan": "gold", "visits": 7}
            assert api.get("/v1/profiles/bob").status_code == 404
