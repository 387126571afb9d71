"""Records the histories that later code must replay: `python -m tests.workflows.record`.

Run it once for each release, before the release, and commit what it writes. Never record an old release's histories
again: they are what instances of that release left behind.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from temporalio.testing import WorkflowEnvironment

from sojourn import __version__
from tests.conftest import server_arguments, temporal_binary
from tests.workflows.scenarios import SCENARIOS, answers, example, play, stage
from tests.workflows.support import Shop

HISTORIES = Path(__file__).parent / "histories"


async def main() -> None:
    """Write one file for each run of each scenario, a continued instance's runs one by one."""
    folder = HISTORIES / __version__
    folder.mkdir(parents=True, exist_ok=True)
    shop = Shop(answers=answers)
    environment = await WorkflowEnvironment.start_time_skipping_v2(
        dev_server_existing_path=temporal_binary(), dev_server_extra_args=server_arguments()
    )
    async with environment:
        for scenario in SCENARIOS:
            loaded = example(scenario.example, shop)
            async with stage(environment, loaded) as runner:
                handle = await play(scenario, environment, runner, loaded)
            run: str | None = handle.first_execution_run_id
            number = 1
            while run:
                one = environment.client.get_workflow_handle(handle.id, run_id=run)
                history = await one.fetch_history()
                target = folder / f"{scenario.name}-{number}.json"
                # Replay reads no stack traces, and those name paths of the machine that recorded them.
                text = re.sub(r'"stackTrace": "(?:[^"\\]|\\.)*"', '"stackTrace": ""', history.to_json())
                target.write_text(text + "\n", "utf-8")
                print(f"{target.name}: {len(history.events)} events")
                ended = history.events[-1].workflow_execution_continued_as_new_event_attributes
                run, number = ended.new_execution_run_id or None, number + 1
    shop.close()


if __name__ == "__main__":
    asyncio.run(main())
