"""What the authors of journeys test them with: scenarios in YAML, and the same from Python.

Everything is real, a Temporal server, the router, a worker, the database, except the clock, which the test moves, and
the other side of calls, which answers by a script. `sojourn test` runs the scenarios of a project;
`sojourn.testing.plugin` has fixtures for pytest.
"""

from __future__ import annotations

from sojourn.simulation.instances import Instance, Stuck
from sojourn.simulation.partial_match import fits
from sojourn.simulation.scripted_answers import Answer, Call
from sojourn.simulation.server import start_server
from sojourn.simulation.world import World
from sojourn.testing.blocking import Journeys, server_in_thread
from sojourn.testing.comparing import Row
from sojourn.testing.projects import Prepared, prepare_project
from sojourn.testing.reading import ScenarioFile, Suite, load_scenarios, read_scenarios
from sojourn.testing.running import ScenarioResult, run_scenario, run_scenarios
from sojourn.testing.scenarios import Scenario

__all__ = [
    "Answer",
    "Call",
    "Instance",
    "Journeys",
    "Prepared",
    "Row",
    "Scenario",
    "ScenarioFile",
    "ScenarioResult",
    "Stuck",
    "Suite",
    "World",
    "fits",
    "load_scenarios",
    "prepare_project",
    "read_scenarios",
    "run_scenario",
    "run_scenarios",
    "server_in_thread",
    "start_server",
]
