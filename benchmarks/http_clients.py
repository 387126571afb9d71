"""A comparison of HTTP client libraries: `python -m benchmarks.http_clients`.

Needs Node.js and OpenSSL for the server, and `httpx2[http2]`, which is not among Sojourn's dependencies. Each round
runs in a process of its own, and the libraries take turns, so that a busy machine slows all of them alike. Read the
ratios; the figures themselves say more about the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import resource
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

CLIENTS = ("aiohttp", "httpx2", "httpx2-http2")
AT_ONCE = (1, 50, 200)

_SERVER = """
const fs = require('fs');
const options = {key: fs.readFileSync(process.argv[1]), cert: fs.readFileSync(process.argv[2]), allowHTTP1: true};
const server = require('http2').createSecureServer(options, (request, response) => {
  request.resume();
  request.on('end', () => {
    response.writeHead(200, {'content-type': 'application/json', 'content-length': '11'});
    response.end('{"ok":true}');
  });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
"""
_BODY = json.dumps({"to": "ann@example.com", "text": "x" * 400}).encode()
_HEADERS = {"Content-Type": "application/json", "Accept": "application/json", "Idempotency-Key": "k-1"}

Send = Callable[[], Awaitable[int]]


def main() -> None:
    """Measure and print a table of ratios to aiohttp."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=1000, help="calls of one round")
    parser.add_argument("--run", nargs=4, metavar=("CLIENT", "URL", "PEM", "AT_ONCE"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.run:
        client, url, pem, at_once = arguments.run
        print(json.dumps(asyncio.run(_round(client, url, pem, int(at_once), arguments.calls))))
        return
    with tempfile.TemporaryDirectory() as folder:
        _compare(Path(folder), arguments.rounds, arguments.calls)


def _compare(folder: Path, rounds: int, calls: int) -> None:
    key, pem = folder / "server.key", folder / "server.pem"
    new = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
    files = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(pem)]
    subprocess.run([*new.split(), *files], check=True, capture_output=True)
    with subprocess.Popen(
        ["node", "-e", _SERVER, str(key), str(pem)], stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout is not None
            url = f"https://127.0.0.1:{server.stdout.readline().strip()}/send"
            print("calls at once | client | CPU of a call: ratio (least to most) | calls per second: ratio")
            for at_once in AT_ONCE:
                _compare_at(at_once, url, pem, rounds, calls)
        finally:
            server.terminate()


def _compare_at(at_once: int, url: str, pem: Path, rounds: int, calls: int) -> None:
    cpu: dict[str, list[float]] = {client: [] for client in CLIENTS}
    rate: dict[str, list[float]] = {client: [] for client in CLIENTS}
    for _ in range(rounds):
        for client in CLIENTS:
            run = ["--calls", str(calls), "--run", client, url, str(pem), str(at_once)]
            command = [sys.executable, "-m", "benchmarks.http_clients", *run]
            found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            cpu[client].append(found["cpu"])
            rate[client].append(found["rate"])
    for client in CLIENTS[1:]:
        costs = [mine / base for mine, base in zip(cpu[client], cpu[CLIENTS[0]], strict=True)]
        rates = [mine / base for mine, base in zip(rate[client], rate[CLIENTS[0]], strict=True)]
        print(f"{at_once:>3} | {client:<12} | {_spread(costs)} | {_spread(rates)}", flush=True)


def _spread(ratios: list[float]) -> str:
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


async def _round(client: str, url: str, pem: str, at_once: int, calls: int) -> dict[str, float]:
    """Make the calls of one round; return CPU seconds of a call, and calls per second."""
    context = ssl.create_default_context(cafile=pem)
    opened = (
        _aiohttp(url, context) if client == "aiohttp" else _httpx2(url, context, client.endswith("http2"))
    )
    session, send = opened
    async with session:
        await asyncio.gather(*(send() for _ in range(at_once)))  # connections are made here
        left = iter(range(calls))

        async def work() -> None:
            for _ in left:
                assert await send() == 200

        before, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
        await asyncio.gather(*(work() for _ in range(at_once)))
        seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"cpu": used / calls, "rate": calls / seconds}


def _aiohttp(url: str, context: ssl.SSLContext) -> tuple[Any, Send]:
    aiohttp = importlib.import_module("aiohttp")

    class Session:
        async def __aenter__(self) -> None:
            self.session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context, limit=200))

        async def __aexit__(self, *_: object) -> None:
            await self.session.close()

    owner = Session()

    async def send() -> int:
        async with owner.session.post(url, data=_BODY, headers=_HEADERS) as response:
            await response.read()
            return int(response.status)

    return owner, send


def _httpx2(url: str, context: ssl.SSLContext, http2: bool) -> tuple[Any, Send]:
    httpx2 = importlib.import_module("httpx2")
    limits = httpx2.Limits(max_connections=200, max_keepalive_connections=200)
    client = httpx2.AsyncClient(
        verify=context, http1=not http2, http2=http2, limits=limits, trust_env=False, timeout=30
    )

    async def send() -> int:
        response = await client.post(url, content=_BODY, headers=_HEADERS)
        return int(response.status_code)

    return client, send


if __name__ == "__main__":
    main()
