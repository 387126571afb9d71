"""What `sojourn dev` does: everything for one project, in one group of processes, until Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

from sojourn import __version__
from sojourn.cli.api_client import ApiClient, ApiRefusedError, ApiUnreachableError
from sojourn.cli.dev.failures.pipe import VARIABLE, Pipe
from sojourn.cli.dev.failures.report import Telling
from sojourn.cli.dev.lock import ProjectLock
from sojourn.cli.output import CliError, ExitCode, say, warn
from sojourn.cli.project import data_folder, load, summary, write_schema
from sojourn.cli.project_environment import DOTENV, development, secret_names
from sojourn.cli.publishing import Outcome, live_journeys, publish
from sojourn.loading import is_project_code, read_python
from sojourn.local import Ports, ProcessError, Stack, TemporalMissingError

DEBOUNCE_MS = 300
"""Milliseconds without a further change before files are read again: editors save in several steps."""


class Dev:
    """One run of `sojourn dev`."""

    def __init__(self, project: Path, ports: Ports) -> None:
        """Prepare a run; nothing is started yet.

        Args:
            project: The project's folder.
            ports: The ports to use.
        """
        self._project = project.absolute()
        self._ports = ports
        self._secrets: list[str] = []
        self._has_functions = False
        self._descriptor = -1

    async def run(self) -> int:
        """Start everything, publish, and watch the files until cancelled.

        Returns:
            The exit status.

        Raises:
            CliError: The project is none, another `dev` runs in it, or a process cannot be started.
        """
        project = await asyncio.to_thread(load, self._project)
        self._has_functions = any(endpoint.python for endpoint in project.endpoints.values())
        data = data_folder(self._project)
        with ProjectLock(data / "lock") as lock, _mishaps_told() as self._descriptor:
            write_schema(self._project)
            stack = Stack(
                data,
                ports=self._ports,
                env=self._environment(),
                keep_open=(lock.descriptor,),
                inherit=(self._descriptor,),
                notify=_log,
            )
            lock.describe(api=stack.api_url, temporal=stack.temporal_address, ui=stack.ui_url)
            say(
                f"Sojourn {__version__}: starting Temporal, a worker and the API for {self._project.name} ..."
            )
            try:
                async with stack:
                    with _dev_file(data / "dev.json", stack):
                        self._greet(stack)
                        await stack.run(self._keep_published(stack))
            except (ProcessError, TemporalMissingError) as error:
                raise CliError(str(error), ExitCode.UNREACHABLE) from error
            finally:
                say("Stopped. The next start goes on where this one ended.")
        return int(ExitCode.OK)

    def _environment(self) -> dict[str, str]:
        """Return the variables that make this a development deployment."""
        self._secrets = secret_names(self._project)
        # A worker without the functions of a broken file is better than none: the others go on.
        python = {"SOJOURN_PROJECT": str(self._project), "SOJOURN_PROJECT_REQUIRED": "false"}
        return development(self._project) | python | {VARIABLE: str(self._descriptor)}

    def _greet(self, stack: Stack) -> None:
        for choice in stack.ports.moved:
            say(f"Port {choice.wanted} is taken: {choice.what} uses {choice.used} instead.")
        say(f"  API               {stack.api_url}   (its reference: {stack.api_url}/docs)")
        say(f"  Temporal Web UI   {stack.ui_url}")
        say(f"  Temporal          {stack.temporal_address}")
        say(f"  Data and logs     {stack.folder}")
        if self._secrets:
            say(f"  Secrets           {', '.join(self._secrets)}")

    async def _publish(self, stack: Stack) -> None:
        """Publish the project as it is on disk; what is wrong with it is said, and changes nothing."""
        try:
            outcome, live = await asyncio.to_thread(self._publish_now, stack)
        except (ApiUnreachableError, ApiRefusedError, CliError) as error:
            _log(f"Not published: {error}", bad=True)
            return
        for line in outcome.lines():
            (say if outcome.ok else warn)(line)
        if outcome.ok:
            for name in sorted(live - outcome.journeys):
                warn(
                    f"warning: no file has the journey {name} any more, but it still lets profiles in: publishing "
                    "removes nothing. Put it back with `end: 2000-01-01` to close it to new ones."
                )
            _log("Running. A changed file is published at once; Ctrl-C stops everything.")
        else:
            rest = (
                "What was published before goes on." if live else "Mend the files: nothing is published yet."
            )
            _log(f"Not published: {summary(outcome.problems)}. {rest}", bad=True)

    def _publish_now(self, stack: Stack) -> tuple[Outcome, set[str]]:
        with ApiClient(stack.api_url) as client:
            return publish(client, self._project), live_journeys(client)

    async def _keep_published(self, stack: Stack) -> None:
        """Publish, and publish again whenever a file of the project changes."""
        changed: asyncio.Queue[set[Path]] = asyncio.Queue()
        # Watching begins first: what changes while the first publication runs must not be missed.
        watching = asyncio.create_task(self._watch(changed))
        try:
            await self._publish(stack)
            while True:
                paths = await changed.get()
                _log(f"Changed: {', '.join(map(str, sorted(paths)))}")
                if DOTENV in paths:
                    self._reread_secrets(stack)
                if any(path.suffix == ".py" for path in paths):
                    await self._renew_functions(stack)
                if paths != {DOTENV}:
                    await self._publish(stack)
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching

    async def _watch(self, changed: asyncio.Queue[set[Path]]) -> None:
        """Report changed files, however this machine lets them be watched."""
        try:
            await self._report(changed, polling=False)
        except (OSError, RuntimeError) as error:
            # Too many folders for the system's limit, or a file system that tells nothing.
            _log(f"Files cannot be watched ({error}); they are looked at every second instead.", bad=True)
            await self._report(changed, polling=True)

    async def _report(self, changed: asyncio.Queue[set[Path]], *, polling: bool) -> None:
        from watchfiles import awatch

        async for changes in awatch(
            self._project,
            watch_filter=_Relevant(self._project),
            debounce=DEBOUNCE_MS,
            step=50,
            force_polling=polling or None,
            poll_delay_ms=1000,
        ):
            changed.put_nowait({Path(path).relative_to(self._project) for _, path in changes})

    async def _renew_functions(self, stack: Stack) -> None:
        """Have the worker import the Python files anew, unless one of them is broken: it keeps what it has then."""
        python = await asyncio.to_thread(read_python, self._project)
        if python.problems:
            _log("The Python files are not in order: the worker goes on with those that it has.", bad=True)
        elif python.texts or self._has_functions:
            _log("The Python files have changed: the worker starts again.")
            if "journey:" in "".join(python.texts.values()) or '"journey":' in "".join(python.texts.values()):
                say(
                    "  Instances of Python journeys that are under way go on with the new code. Where it does not do "
                    "again what they have done, Temporal holds them (non-determinism): take the change back, or put it "
                    "behind workflow.patched; new instances are not concerned."
                )
            stack.restart_workers(self._environment())
        self._has_functions = self._has_functions or bool(python.texts)

    def _reread_secrets(self, stack: Stack) -> None:
        """Values are read at each use; names are known from the start, so new ones need a new worker."""
        before = self._secrets
        env = self._environment()
        if self._secrets != before:
            _log("The names of secrets have changed: the worker starts again.")
            stack.restart_workers(env)


class _Relevant:
    """Says which changes concern the project: its definitions and its `.env`, not hidden folders."""

    def __init__(self, project: Path) -> None:
        self._project = project

    def __call__(self, change: object, path: str) -> bool:
        relative = Path(path).relative_to(self._project)
        if relative == DOTENV:
            return True
        hidden = any(part.startswith(".") for part in relative.parts)
        return not hidden and (relative.suffix in {".yaml", ".yml"} or is_project_code(relative))


@contextlib.contextmanager
def _mishaps_told() -> Iterator[int]:
    """Say what fails in the developer's code; yields the descriptor by which the workers tell it."""
    pipe, telling = Pipe(), Telling(lambda lines: _log(lines, bad=True))
    pipe.open(telling.take)
    try:
        yield pipe.writing
    finally:
        telling.close()
        pipe.close()


@contextlib.contextmanager
def _dev_file(path: Path, stack: Stack) -> Iterator[None]:
    """Leave word of how to reach this run, for the other commands, while it lasts."""
    state = {
        "pid": os.getpid(),
        "api": stack.api_url,
        "temporal": stack.temporal_address,
        "ui": stack.ui_url,
        "started_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    # Written beside and moved, so that nobody reads half of it.
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(state, indent=2) + "\n", "utf-8")
    partial.replace(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _log(message: str, *, bad: bool = False) -> None:
    (warn if bad else say)(f"{time.strftime('%H:%M:%S')} {message}")
