"""Expressions inside a workflow, in Temporal's sandbox, and replayed."""

from __future__ import annotations

from temporalio.client import Client
from temporalio.worker import Replayer, Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from tests.expressions.sandboxed import Evaluates

DATA = {
    "event": {"amount": 120, "mail": "a@example.com", "items": [{"sku": "a", "n": 1}, {"sku": "b", "n": 2}]},
    "profile": {"country": "GB", "age": 30},
}
RUNNER = SandboxedWorkflowRunner(
    restrictions=SandboxRestrictions.default.with_passthrough_modules("sojourn.expressions")
)


async def test_expressions_work_in_a_sandboxed_workflow(client: Client, unique: str) -> None:
    """A workflow evaluates expressions and templates, and a replay gives the same."""
    queue = f"expressions-{unique}"
    async with Worker(client, task_queue=queue, workflows=[Evaluates], workflow_runner=RUNNER):
        handle = await client.start_workflow(Evaluates.run, DATA, id=queue, task_queue=queue)
        result = await handle.result()
    assert result == [
        True, ["age", "country"], True, True, True, {"z": 2, "a": 3}, [3, 1, "x", {"a": 1}], "120.00", "b",
        {"to": "Dear a@example.com", "at": [{"sku": "a", "n": 1}]}, ["event", "gone"],
    ]  # fmt: skip
    # Temporal sorts the keys of the data that it hands on.
    history = await handle.fetch_history()
    await Replayer(workflows=[Evaluates], workflow_runner=RUNNER).replay_workflow(history)
