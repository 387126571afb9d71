"""`sojourn demo`, run as people run it: as a command, with everything real."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest


class Demo:
    """A running `sojourn demo` whose output is read as it comes."""

    def __init__(self, folder: Path, *arguments: str, **env: str) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sojourn", "demo", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "TMPDIR": str(folder), **env},
            start_new_session=True,
        )
        self.output = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output += line

    def until(self, text: str, seconds: float = 90) -> str:
        """Wait for a text in the output; return the output so far."""
        deadline = time.monotonic() + seconds
        while text not in self.output:
            assert self.process.poll() is None or self._reader.is_alive(), (
                f"ended without {text!r}:\n{self.output}"
            )
            assert time.monotonic() < deadline, f"no {text!r} after {seconds} s:\n{self.output}"
            time.sleep(0.05)
        return self.output

    def ended(self, seconds: float = 90) -> int:
        """Wait for the end; return the exit status."""
        status = self.process.wait(seconds)
        self._reader.join(10)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return status

    def children(self) -> list[psutil.Process]:
        """Return the processes that it has started."""
        return psutil.Process(self.process.pid).children(recursive=True)


@pytest.fixture
def demos(tmp_path: Path) -> Iterator[list[Demo]]:
    """The demos that a test starts: none outlives it."""
    started: list[Demo] = []
    yield started
    for demo in started:
        if demo.process.poll() is None:
            demo.process.terminate()
        demo.ended()


def _gone(processes: list[psutil.Process]) -> bool:
    _, alive = psutil.wait_procs(processes, timeout=10)
    return not alive


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_cart_agrees_and_stays_up_with_keep(tmp_path: Path, demos: list[Demo]) -> None:
    """The demo of the carts agrees; with --keep its parts answer until Ctrl-C, and the status is that of the check."""
    demo = Demo(tmp_path, "--keep", SOJOURN_DATABASE="postgresql://nowhere/else", SOJOURN_API_KEY="sjk_other")
    demos.append(demo)
    output = demo.until("Everything stays up", 150)

    assert "AGREED: instances, answers and calls are what the events demand." in output
    assert re.search(r"reminded +10 +10 +ok", output)
    assert re.search(r"messages +10 +10 +ok", output)
    for what, path in (("Temporal Web UI", "/"), ("Sojourn API", "/v1/journeys"), ("demo shop's log", "")):
        found = re.search(rf"{what} +(http://127.0.0.1:\d+\S*)", output)
        assert found, output
        with urllib.request.urlopen(found[1] + path, timeout=10) as answer:
            assert answer.status == 200
    children = demo.children()
    assert len(children) >= 5

    demo.process.send_signal(signal.SIGINT)
    assert demo.ended(60) == 0
    assert _gone(children)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("fault", "differs"), [("drop", "messages +10 +9 +DIFFERS"), ("double", "sent twice +0 +1 +DIFFERS")]
)
def test_a_shop_that_drops_or_doubles_is_found(
    tmp_path: Path, demos: list[Demo], fault: str, differs: str
) -> None:
    """The check can fail: a message that the shop lost, or has twice, makes the status 1 and is named."""
    demo = Demo(tmp_path, "--fault", fault)
    demos.append(demo)

    assert demo.ended(150) == 1
    assert re.search(differs, demo.output), demo.output
    assert "NOT AGREED" in demo.output
    assert "AGREED: instances" not in demo.output.replace("NOT AGREED", "")
    kept = re.search(r"Databases and logs are kept in (\S+)", demo.output)
    assert kept
    assert (Path(kept[1]) / "logs" / "worker.log").is_file()


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_second_purchase_agrees(tmp_path: Path, demos: list[Demo]) -> None:
    """The demo of the purchases agrees, here on its first orders."""
    demo = Demo(tmp_path, "second-purchase", "--orders", "250")
    demos.append(demo)

    assert demo.ended(200) == 0, demo.output
    assert "AGREED: instances, answers and calls are what the file demands." in demo.output


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_worker_killed_in_the_middle(tmp_path: Path, demos: list[Demo]) -> None:
    """The worker is killed while instances wait: it is started again, and all comes out as if nothing had been."""
    demo = Demo(tmp_path)
    demos.append(demo)
    demo.until("hana-order accepted")
    for child in demo.children():
        if "worker" in child.cmdline():
            child.kill()

    assert demo.ended(150) == 0, demo.output
    assert "Starting worker again" in demo.output
    assert "AGREED: instances, answers and calls are what the events demand." in demo.output


def test_ctrl_c_cleans_up(tmp_path: Path, demos: list[Demo]) -> None:
    """Ctrl-C in the middle ends every process, removes the folder, and gives status 130."""
    demo = Demo(tmp_path)
    demos.append(demo)
    demo.until("instances started")
    children = demo.children()

    demo.process.send_signal(signal.SIGINT)
    assert demo.ended(60) == 130, demo.output
    assert _gone(children)
    assert list(tmp_path.iterdir()) == []
    assert "Traceback" not in demo.output


def test_part_that_does_not_start_is_named(tmp_path: Path, demos: list[Demo]) -> None:
    """A part that ends at once is named, with the end of its log; the status is 1."""
    broken = tmp_path / "temporal"
    broken.write_text("#!/bin/sh\necho this server is broken\nexit 7\n")
    broken.chmod(0o755)
    folder = tmp_path / "tmp"
    folder.mkdir()
    demo = Demo(folder, SOJOURN_TEMPORAL_BINARY=str(broken))
    demos.append(demo)

    assert demo.ended() == 1
    assert "temporal ended with status 7" in demo.output
    assert "this server is broken" in demo.output
    assert "Traceback" not in demo.output


def test_missing_temporal(tmp_path: Path, demos: list[Demo]) -> None:
    """Without the `temporal` program the demo says so, and leaves nothing behind."""
    demo = Demo(tmp_path, SOJOURN_TEMPORAL_BINARY=str(tmp_path / "none"))
    demos.append(demo)

    assert demo.ended() == 1
    assert "SOJOURN_TEMPORAL_BINARY" in demo.output
    assert list(tmp_path.iterdir()) == []


def test_wrong_use(tmp_path: Path, demos: list[Demo]) -> None:
    """An example that is none, or --orders where there are none, is wrong use: status 2, and a sentence."""
    for arguments, words in ((["no-such"], "second-purchase"), (["--orders", "5"], "--orders")):
        demo = Demo(tmp_path, *arguments, COLUMNS="200")
        demos.append(demo)

        assert demo.ended() == 2
        assert words in demo.output
