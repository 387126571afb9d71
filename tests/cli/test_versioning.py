"""Worker versioning: the page on changing Python journeys, line by line, with workers as processes of their own."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker, WorkerDeploymentConfig

from sojourn.cli.environment import load_settings
from sojourn.cli.output import CliError
from sojourn.cli.versioning import BUILD_VARIABLE, NAME_VARIABLE, deployment_config
from sojourn.client import JourneyClient
from sojourn.contract import names
from sojourn.hosting import journey_plugin
from sojourn.loading import load_project
from sojourn.plugin import JourneyPlugin
from sojourn.settings import Settings
from sojourn.steering.journeys import Lifecycle
from sojourn.store import Store
from tests.cli.support import Running, environment, sojourn, until
from tests.conftest import temporal_binary
from tests.repo.documents import blocks
from tests.repo.tree import ROOT

PAGE = ROOT / "docs/how-to/change-python-journeys.md"
JOURNEY = "first-purchase-watch"
CODE = [block.text for block in blocks(PAGE) if block.language == "python"]
LINES = [
    line[2:]
    for block in blocks(PAGE)
    if block.language == "console" and "test_versioning" in block.argument
    for line in block.text.splitlines()
]
GREETING = '        if workflow.patched("greeting"):\n            await'
MAIL = """\
from datetime import timedelta
from pathlib import Path

from sojourn import action, source


@source.defn(name="shop.level")
async def level(customer: str) -> str:
    return f"gold for {customer}"


@action.defn(name="email.send", throttle=action.Throttle(calls=50, per=timedelta(seconds=1)))
async def send(to: str, template: str) -> None:
    with Path("../mails").open("a") as file:
        file.write(f"{to} {template}\\n")
"""

LOOK_UP = """\
journey: NAME-yaml
entry: {event: signed.up}
steps:
  ask: {fetch: shop.level, with: {customer: "${entry.customer_id}"}}
  done: {end: "${steps.ask.body}"}
"""
"""Beside the journey of the page one in YAML, with a fetch, which is a local activity."""


class Shop:
    """A deployment whose workers are processes, with builds of its project in folders `1` and `2`."""

    def __init__(self, temporal: WorkflowEnvironment, folder: Path, unique: str, store: Store) -> None:
        self.folder = folder
        self.queue = self.deployment = self.journey = f"shop-{unique}"
        self.address = temporal.client.service_client.config.target_host
        self.settings = Settings(
            database=f"sqlite:///{folder}/sojourn.db", task_queue=self.queue, catalog_refresh=0.1
        )
        self.client = temporal.client
        self.store = store
        self.journeys = JourneyClient(temporal.client, task_queue=self.queue)
        self._lines = iter(LINES)

    async def build(self, number: int, code: str) -> Path:
        """Write and publish a build; returns the folder in which its worker runs."""
        shop = self.folder / str(number) / "shop"
        shop.mkdir(parents=True)
        (shop / "watch.py").write_text(code.replace(JOURNEY, self.journey))
        (shop / "mail.py").write_text(MAIL)
        (shop / "look-up.yaml").write_text(LOOK_UP.replace("NAME", self.journey))
        loaded = load_project(shop)
        assert loaded.ok, [str(problem) for problem in loaded.problems]
        await self.store.publish(loaded)
        return shop.parent

    def variables(self, build: int) -> dict[str, str]:
        """The environment of a worker."""
        return {
            NAME_VARIABLE: self.deployment,
            BUILD_VARIABLE: str(build),
            "TEMPORAL_ADDRESS": self.address,
            "SOJOURN_DATABASE": self.settings.database,
            "SOJOURN_TASK_QUEUE": self.queue,
            "PYTHONPATH": str(ROOT),
        }

    @contextmanager
    def worker(self, build: int, *program: str | Path) -> Iterator[Running]:
        """Run the worker of a build: a program, or what the page's next line says."""
        folder = self.folder / str(build)
        if not program:
            variable, *words = shlex.split(self.line(f"{BUILD_VARIABLE}={build} "))
            assert words[0] == "sojourn", variable
            program = ("-m", *words)
        output = folder / "output"
        with output.open("w") as file:
            process = subprocess.Popen(
                [sys.executable, *map(str, program)],
                cwd=folder,
                env=environment(self.variables(build)),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                text=True,
            )
        try:
            yield Running(process, output)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def line(self, begin: str) -> str:
        """The page's next line, which begins as it should, with names that no other test uses."""
        line = next(self._lines)
        assert line.startswith(begin), line
        line = line.replace("shop-journeys", self.deployment).replace(JOURNEY, self.journey)
        return line.replace("--percentage 10", "--percentage 100")

    async def temporal(self, line: str) -> str:
        """Run a command of Temporal until it is done: workers of a build have to be there."""

        def run() -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [temporal_binary(), *shlex.split(line)[1:], "--address", self.address],
                env=environment({"HOME": str(self.folder)}),
                capture_output=True,
                check=False,
                text=True,
                timeout=30,
            )

        for _ in range(100):
            done = await asyncio.to_thread(run)
            if done.returncode == 0:
                return done.stdout
            await asyncio.sleep(0.1)
        raise AssertionError(f"{line}: {done.stdout}{done.stderr}")

    async def enter(self, key: str) -> None:
        """Let a profile enter both journeys, by the workflow `sojourn.Event`, and walk through the one in YAML."""
        sent = await asyncio.wait_for(self.journeys.send("signed.up", {"customer_id": key}), 40)
        assert [item.effect for item in sent.instances] == ["started"] * 2, sent
        outcome = await asyncio.wait_for(self.journeys.result(f"{self.journey}-yaml", key), 40)
        assert outcome.text == f"gold for {key}"

    async def bought(self, key: str) -> list[str]:
        """Let a profile buy, and return the steps of its instance, which has ended then."""
        await self.journeys.send("first.purchase", {"customer_id": key})
        outcome = await asyncio.wait_for(self.journeys.result(self.journey, key), 40)
        assert outcome.text == "bought"
        result = await self.journeys.handle(self.journey, key).result()
        return [str(step["kind"]) for step in result["steps"]]

    async def build_of(self, key: str, waiting: bool = False) -> str:
        """The build that ran an instance's latest task, when it waits at last if so asked."""
        if waiting:
            await self.waits(key)
        found = await self.journeys.handle(self.journey, key).describe()
        info = found.raw_description.workflow_execution_info.versioning_info
        return info.deployment_version.build_id

    async def waits(self, key: str) -> None:
        """Return when an instance waits for the purchase."""
        for _ in range(400):
            with contextlib.suppress(RPCError):
                if (await self.journeys.state(self.journey, key)).step == "wait_for-first.purchase":
                    return
            await asyncio.sleep(0.05)
        raise AssertionError(f"{key} never waits")

    def mails(self) -> list[str]:
        """The mails that were written, by whichever build."""
        file = self.folder / "mails"
        return file.read_text().splitlines() if file.exists() else []


@pytest.fixture
async def shop(temporal: WorkflowEnvironment, tmp_path: Path, unique: str) -> AsyncIterator[Shop]:
    """A deployment on the tests' server, on which time passes as elsewhere."""
    store = await Store.open(f"sqlite:///{tmp_path}/sojourn.db", catalog_refresh=0.1)
    await store.migrate()
    with temporal.with_time_skipping_disabled():
        yield Shop(temporal, tmp_path, unique, store)
    await store.close()


@asynccontextmanager
async def unversioned(shop: Shop, folder: Path) -> AsyncIterator[None]:
    """Run a worker without a version, in this process."""
    async with (
        journey_plugin(shop.settings, project=folder / "shop") as plugin,
        Worker(shop.client, task_queue=shop.queue, plugins=[plugin]),
    ):
        yield


@pytest.mark.slow
async def test_instances_move_to_the_build_that_is_made_current(shop: Shop) -> None:
    """The worker of the command line: nothing comes to a build before; then it has those inside, and takes others in."""
    first = await shop.build(1, CODE[0])
    async with unversioned(shop, first):
        await shop.enter("ada")
        assert await shop.build_of("ada", waiting=True) == ""
    assert shop.line("export ") == f"export {NAME_VARIABLE}={shop.deployment}"
    with shop.worker(1) as worker:
        await asyncio.to_thread(worker.until, "build 1 of deployment")
        sending = asyncio.create_task(shop.enter("ben"))
        await _nothing_comes(shop)
        assert not sending.done()
        await shop.temporal(shop.line("temporal "))
        await sending
        assert await shop.build_of("ben", waiting=True) == "1"
        await shop.build(2, CODE[1])
        with shop.worker(2):
            await shop.temporal(shop.line("temporal worker deployment set-ramping-version"))
            await shop.enter("cleo")
            assert await shop.build_of("cleo", waiting=True) == "2"
            await shop.temporal(shop.line("temporal worker deployment set-current-version"))
            assert worker.end() == 130
            told = await shop.temporal(shop.line("temporal worker deployment describe-version"))
            assert shop.deployment in told
            await _operations_go_on(shop)
            # Those from before wait on, under the new code; the other was greeted.
            assert await shop.bought("ada") == ["wait_for"]
            assert await shop.bought("ben") == ["wait_for"]
            assert await shop.bought("cleo") == ["action", "wait_for"]
            assert [await shop.build_of(key) for key in ("ada", "ben")] == ["2", "2"]
    assert shop.mails() == ["cleo welcome"]


async def _nothing_comes(shop: Shop) -> None:
    """See that an event is with Temporal, and that no worker has begun with it."""
    query = f'TaskQueue = "{shop.queue}" and WorkflowType = "{names.WORKFLOW_EVENT}" and ExecutionStatus = "Running"'
    for _ in range(200):
        found = [item async for item in shop.client.list_workflows(query)]
        if found:
            break
        await asyncio.sleep(0.05)
    (event,) = found
    history = await shop.client.get_workflow_handle(event.id).fetch_history()
    assert len(history.events) == 2  # begun, and a task that nobody has taken


async def _operations_go_on(shop: Shop) -> None:
    """Pause the journey and resume it: an operation's worker has no version, and reaches instances of all builds."""
    lifecycle = Lifecycle(shop.store, shop.client, shop.settings)
    for what in ("pause", "resume"):
        steered = await lifecycle.act(shop.journey, what)  # type: ignore[arg-type]
        assert steered is not None
        assert steered.operation is not None
        handle: Any = shop.client.get_workflow_handle(
            names.operation_id(shop.queue, steered.operation.id), result_type=dict
        )
        await asyncio.wait_for(handle.result(), 40)
        assert (await shop.journeys.state(shop.journey, "ada")).status == (
            "paused" if what == "pause" else "running"
        )


@pytest.mark.slow
async def test_pinned_instances_stay_on_their_build(shop: Shop) -> None:
    """The worker of the page, with a change that would not replay: each instance has the code with which it began."""
    bare = CODE[1].replace(GREETING, "        await")
    for number, code in enumerate((CODE[0], bare), 1):
        folder = await shop.build(number, code)
        (folder / "worker.py").write_text(CODE[2].replace('"sojourn"', f'"{shop.queue}"'))
    current = (
        f"temporal worker deployment set-current-version --yes --deployment-name {shop.deployment} --build-id"
    )
    with shop.worker(1, "worker.py"), shop.worker(2, "worker.py"):
        await shop.temporal(f"{current} 1")
        for key in ("ada", "ben"):
            await shop.enter(key)
            assert await shop.build_of(key, waiting=True) == "1"
        await shop.temporal(f"{current} 2")
        await shop.enter("cleo")
        assert await shop.bought("ada") == ["wait_for"]
        assert await shop.build_of("ada") == "1"
        assert await shop.bought("cleo") == ["action", "wait_for"]
        assert await shop.build_of("cleo") == "2"
        # Freed from its build, the third one meets code that does not do again what it has done.
        freeing = LINES[-1].replace(f"{JOURNEY}:c-17", f"{shop.journey}:ben")
        await shop.temporal(freeing)
        await shop.journeys.signal(shop.journey, "ben", "first.purchase", {"customer_id": "ben"})
        await asyncio.to_thread(until, lambda: "Nondeterminism" in _output(shop, 2), 40)
        assert (
            await shop.journeys.handle(shop.journey, "ben").describe()
        ).status == WorkflowExecutionStatus.RUNNING
        await shop.journeys.handle(shop.journey, "ben").terminate()
    assert shop.mails() == ["cleo welcome"]


def _output(shop: Shop, build: int) -> str:
    return (shop.folder / str(build) / "output").read_text()


def test_half_a_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker ends at once, and says which variable is missing, or what is wrong with a name."""
    done = sojourn("worker", cwd=tmp_path, env={NAME_VARIABLE: "shop"})
    assert done.code == 2
    assert f"{NAME_VARIABLE} is set and {BUILD_VARIABLE} is not" in done.err
    assert "Traceback" not in done.err
    for name, build, told in (
        ("", "1", f"{BUILD_VARIABLE} is set and {NAME_VARIABLE} is not"),
        ("shop.eu", "1", f"{NAME_VARIABLE}: the deployment name 'shop.eu' has a dot"),
    ):
        monkeypatch.setenv(NAME_VARIABLE, name)
        monkeypatch.setenv(BUILD_VARIABLE, build)
        with pytest.raises(CliError, match=told):
            deployment_config(Settings())
    monkeypatch.setenv(NAME_VARIABLE, "shop")
    monkeypatch.setenv("SOJOURN_VERSIONING", "pinned")
    config = deployment_config(load_settings())
    assert config is not None
    assert config.default_versioning_behavior == VersioningBehavior.PINNED
    monkeypatch.setenv("SOJOURN_VERSIONING", "both")
    with pytest.raises(CliError, match="SOJOURN_VERSIONING: Input should be 'auto-upgrade' or 'pinned'"):
        load_settings()


async def test_the_plugin_refuses_a_version_that_would_not_run(temporal: WorkflowEnvironment) -> None:
    """A name that Temporal does not take, with which a worker would wait for ever; and no word on instances inside."""
    for name, behavior, told in (
        ("shop:eu", VersioningBehavior.PINNED, "deployment name 'shop:eu'"),
        ("__shop", VersioningBehavior.PINNED, "deployment name '__shop'"),
        ("shop", VersioningBehavior.UNSPECIFIED, "add default_versioning_behavior="),
    ):
        config = WorkerDeploymentConfig(WorkerDeploymentVersion(name, "1"), True, behavior)
        plugin = JourneyPlugin(register_activities=False)
        with pytest.raises(ValueError, match=told):
            Worker(temporal.client, task_queue="q", plugins=[plugin], deployment_config=config)
