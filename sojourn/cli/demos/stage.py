"""What a demo plays on: the stack, the demo shop, a folder of their own, and the example published there."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import shutil
import sys
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from sojourn.cli.api_client import ApiClient, ApiUnreachableError
from sojourn.cli.demos import shop
from sojourn.cli.output import CliError, ExitCode
from sojourn.definitions.project import TESTS
from sojourn.local import Child, Guard, ProcessError, Stack, TemporalMissingError, free_port

T = TypeVar("T")

PROJECTS = Path(__file__).with_name("projects")
"""The examples: a link in the repository, a folder in an installed package."""

SECRET_NAMES = ("CRM_TOKEN", "MAIL_KEY", "SHOP_KEY")


class Stage:
    """Everything that a demo needs, running: an async context manager.

    Attributes:
        example: Name of the example project.
        folder: Where databases and logs are; gone at the end, unless `keep_folder` is set by then.
        keep_folder: Leave the folder for someone to look at.
        stack: Temporal, worker and API.
        shop_url: Where the demo shop listens.
    """

    def __init__(
        self, example: str, *, flaky: int = 0, fault: str = "none", notify: Callable[[str], None] = print
    ) -> None:
        """Describe a stage; nothing is started yet.

        Args:
            example: Name of the example project.
            flaky: Of the shop's effects, every n-th fails at first; 0: none.
            fault: A defect of the shop that the demo is to find, see `shop_ledger`.
            notify: Called with a sentence when a process is started again.
        """
        self.example = example
        self.keep_folder = False
        self.folder = Path(tempfile.mkdtemp(prefix="sojourn-demo-"))
        port = free_port()
        self.shop_url = f"http://127.0.0.1:{port}"
        # Made up anew for each demo, so that a call without the right credentials is really refused.
        self._secrets = {name: secrets.token_urlsafe(16) for name in SECRET_NAMES}
        env = {
            **self._secrets,
            "SOJOURN_SECRETS": ",".join(SECRET_NAMES),
            "SOJOURN_ALLOW_HOSTS": f"127.0.0.1:{port}",
        }
        self.stack = Stack(self.folder, env=env, notify=notify)
        self._shop_command = [sys.executable, "-m", shop.__name__, "--port", str(port)]
        self._shop_command += ["--flaky", str(flaky), "--fault", fault]
        self._shop: Child | None = None
        self._guard: Guard | None = None
        self._api = ApiClient(self.stack.api_url)
        self._shop_client = ApiClient(self.shop_url)
        self._clients = contextlib.ExitStack()

    async def __aenter__(self) -> Stage:
        """Start everything.

        Raises:
            CliError: A part did not start; the message says which, and shows the end of its log.
        """
        for client in (self._api, self._shop_client):
            self._clients.enter_context(client)
        try:
            await self._start_shop()
            await self.stack.__aenter__()
        except (ProcessError, TemporalMissingError) as error:
            await self._stop_shop()
            raise self._failure(error) from error
        except BaseException:
            await self._stop_shop()
            self._tidy()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything."""
        try:
            await self.stack.__aexit__(kind, error, trace)
        finally:
            await self._stop_shop()
            self._tidy()

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something on the stage; a part that ends for good ends it.

        Raises:
            CliError: A part has ended; the message says which, and shows the end of its log.
        """
        try:
            return await self.stack.run(work)
        except ProcessError as error:
            raise self._failure(error) from error

    async def publish(self) -> list[dict[str, Any]]:
        """Publish the example through the API, its URLs pointing at the shop.

        Returns:
            The journeys and versions that were published.
        """
        root = PROJECTS / self.example
        files = {
            path.relative_to(root).as_posix(): path.read_text("utf-8").replace(
                f"http://127.0.0.1:{shop.PORT}", self.shop_url
            )
            for path in sorted(root.rglob("*.yaml"))
            if path.relative_to(root).parts[0] != TESTS
        }
        if not files:
            raise CliError(f"the example {self.example} is not where it should be: {root}")
        published: list[dict[str, Any]] = (await self.post("/v1/journeys", {"files": files}))["published"]
        return published

    async def get(self, path: str, **parameters: Any) -> Any:
        """Read something from the API."""
        return await asyncio.to_thread(self._api.get, path, **parameters)

    async def post(self, path: str, body: Any) -> Any:
        """Send something to the API."""
        return await asyncio.to_thread(self._api.post, path, body)

    async def shop(self, path: str) -> Any:
        """Read something from the shop: `/log` or `/counts`.

        Raises:
            CliError: The shop does not answer; the message shows the end of its log.
        """
        try:
            return await asyncio.to_thread(self._shop_client.get, path)
        except ApiUnreachableError as error:
            assert self._shop is not None
            self.keep_folder = True
            raise CliError(
                f"the demo shop no longer answers. The end of {self._shop.log}:\n{self._shop.tail()}"
            ) from error

    async def _start_shop(self) -> None:
        async def ready() -> bool:
            try:
                await asyncio.to_thread(self._shop_client.get, "/counts")
            except CliError:
                return False
            return True

        self._guard = Guard()
        self._shop = Child(
            "the demo shop",
            self._shop_command,
            log=self.folder / "logs" / "shop.log",
            env=self.stack.environment(),
            ready=ready,
            guard=self._guard,
            grace=5.0,
        )
        await self._shop.start(timeout=30.0)

    async def _stop_shop(self) -> None:
        if self._shop is not None:
            await self._shop.stop()
        if self._guard is not None:
            await asyncio.to_thread(self._guard.close)
        self._clients.close()

    def _failure(self, error: Exception) -> CliError:
        """Return the error for the user. The logs stay where its message says that they are."""
        self.keep_folder = isinstance(error, ProcessError)
        if not self.keep_folder:
            self._tidy()
        return CliError(str(error), ExitCode.PROBLEMS)

    def _tidy(self) -> None:
        if not self.keep_folder:
            shutil.rmtree(self.folder, ignore_errors=True)
