"""The API as a process: how it starts, says where, and ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from sojourn.api.auth import ExposureError
from sojourn.api.server import ServeError, serve
from sojourn.settings import Settings
from sojourn.store import Store, StoreError
from tests.conftest import free_port

PROGRAM = """
import sys
from sojourn.api.server import serve
from sojourn.settings import Settings
try:
    serve(Settings(), announce=lambda line: print(line, flush=True))
except Exception as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""


@asynccontextmanager
async def process(folder: Path, **variables: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `serve` in a process of its own, and end it if the test did not."""
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("SOJOURN_", "TEMPORAL_"))
    }
    environment |= {
        "SOJOURN_DATABASE": f"sqlite:///{folder}/sojourn.db",
        "SOJOURN_API_PORT": "0",
        "TEMPORAL_ADDRESS": "127.0.0.1:9",
    }
    running = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROGRAM,
        env=environment | variables,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield running
    finally:
        if running.returncode is None:
            running.kill()
        await running.communicate()


async def announced(running: asyncio.subprocess.Process) -> str:
    """Return the line that says where the API listens."""
    assert running.stdout is not None
    return (await asyncio.wait_for(running.stdout.readline(), 30)).decode()


async def refused(url: httpx.URL) -> None:
    """Wait until nothing new is let in."""
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(20):
            while True:
                _, writer = await asyncio.open_connection(url.host, url.port)
                writer.close()
                await asyncio.sleep(0.05)


async def refusal(folder: Path, **changes: Any) -> Exception:
    """Return what `serve` refuses to start with, here in a thread."""
    settings = Settings(**({"database": f"sqlite:///{folder}/sojourn.db", "api_port": 0} | changes))
    lines: list[str] = []
    with pytest.raises((ExposureError, ServeError, StoreError)) as caught:
        await asyncio.to_thread(serve, settings, announce=lines.append)
    assert not lines
    return caught.value


async def test_it_says_where_it_listens_and_ends_on_request(tmp_path: Path) -> None:
    """One line, and no other output; SIGTERM ends it after what is in flight."""
    async with process(tmp_path) as running:
        line = await announced(running)
        match = re.fullmatch(
            r"Sojourn's API listens on (http://127.0.0.1:\d+) to this machine only: .*\n", line
        )
        assert match is not None, line
        url = httpx.URL(match[1])
        async with httpx.AsyncClient(base_url=url) as api:
            assert (await api.get("/health/live")).status_code == 200
        # A request whose body is still on its way when the signal comes.
        reader, writer = await asyncio.open_connection(url.host, url.port)
        body = b'{"name": "x", "data": {}}'
        head = f"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        writer.write(head.encode() + b"Expect: 100-continue\r\n\r\n")
        # The server says so when it has taken the request and wants the body.
        assert await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10) == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(body[:5])
        running.send_signal(signal.SIGTERM)
        await refused(url)
        writer.write(body[5:])
        assert (await asyncio.wait_for(reader.readline(), 10)).startswith(b"HTTP/1.1 202")
        writer.close()
        out, err = await asyncio.wait_for(running.communicate(), 20)
        assert (out, err) == (b"", b"")


async def test_with_a_key_it_listens_for_all(tmp_path: Path) -> None:
    """The line then says nothing of this machine only."""
    store = await Store.open(f"sqlite:///{tmp_path}/sojourn.db")
    await store.migrate()
    await store.create_key("shop", ["events"])
    await store.close()
    async with process(tmp_path, SOJOURN_API_HOST="0.0.0.0") as running:
        line = await announced(running)
        assert line.startswith("Sojourn's API listens on http://0.0.0.0:")
        assert "only" not in line


async def test_without_a_key_it_refuses_to_listen_for_all(tmp_path: Path) -> None:
    """Nothing is served, and the message says what to do."""
    error = await refusal(tmp_path, api_host="0.0.0.0")
    assert isinstance(error, ExposureError)
    assert "sojourn keys create" in str(error)


async def test_a_port_in_use_is_called_so(tmp_path: Path) -> None:
    """The message names the address and the setting."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        error = await refusal(tmp_path, api_port=port)
    assert f"127.0.0.1:{port}: Address already in use" in str(error)
    assert "SOJOURN_API_PORT" in str(error)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"database": "mysql://x/y"}, "sqlite:///PATH or postgresql://"),
        ({"database": "sqlite:////no/such/folder/x.db"}, "does not exist"),
        ({"api_host": "192.0.2.1"}, "192.0.2.1"),
        ({"api_host": "no.such.host.invalid"}, "no.such.host.invalid"),
    ],
)
async def test_a_wrong_setting_is_said(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    """Each is a sentence that names what is wrong."""
    assert words in str(await refusal(tmp_path, **changes))


async def test_wrong_settings_of_temporal_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile that is not there would else show at the first event only."""
    monkeypatch.setenv("TEMPORAL_PROFILE", "nobody-made-it")
    assert "nobody-made-it" in str(await refusal(tmp_path))


async def test_a_database_that_cannot_be_reached_does_not_stop_it(tmp_path: Path) -> None:
    """It starts, answers 503, and waits for the database."""
    pytest.importorskip("asyncpg", reason="needs the extra postgres")
    url = f"postgresql://sojourn@127.0.0.1:{free_port()}/sojourn"
    async with process(tmp_path, SOJOURN_DATABASE=url) as running:
        line = await announced(running)
        match = re.search(r"http://\S+", line)
        assert match is not None
        async with httpx.AsyncClient(base_url=match[0]) as api:
            answer = await api.post("/v1/events", json={"name": "x", "data": {}})
            assert answer.status_code == 503
            assert answer.headers["retry-after"]
            assert (await api.get("/health/live")).status_code == 200


def test_settings_have_defaults_that_are_safe() -> None:
    """Out of the box the API is for this machine."""
    assert Settings().api_host == "127.0.0.1"
