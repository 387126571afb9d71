"""The tutorial, gone through from its first command to its last."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from tests.cli.conftest import DevRun, dev_ports
from tests.cli.support import Result, running, sojourn, until
from tests.repo.documents import Block, blocks
from tests.repo.tree import ROOT

PAGE = ROOT / "docs/tutorial/first-journey.md"


def _blocks(language: str) -> list[Block]:
    return [block for block in blocks(PAGE) if block.language == language]


def _commands(block: Block) -> list[list[str]]:
    """The arguments of each `sojourn` command of a block."""
    lines = [line.removeprefix("$ ") for line in block.text.splitlines()]
    return [shlex.split(line)[1:] for line in lines if line.startswith("sojourn ")]


def _said(block: Block, *, by: str) -> None:
    """Fail unless each line that the page shows was said, but for spaces, times and ports."""
    said = [" ".join(line.split()) for line in by.splitlines()]
    for line in block.text.splitlines():
        wanted = " ".join(line.split()).replace(":8080", ":").replace(":8233", ":")
        assert any(wanted in was for was in said), f"{block.where}: {line!r} was not said:\n{by}"


def test_the_tutorial(tmp_path: Path) -> None:
    """Each command works, in the order of the page, and says what the page says; the change takes effect."""
    _, begin, test, dev_block, first, second, failing, passing = _blocks("console")
    tested, started, traced, published, late, failed, passed = _blocks("text")
    journey, scenarios = _blocks("yaml")
    init, validate = _commands(begin)
    assert sojourn(*init, cwd=tmp_path).code == 0
    shop = tmp_path / "shop"
    assert sojourn(*validate, cwd=shop).code == 0

    def run(block: Block) -> Result:
        (command,) = _commands(block)
        return sojourn(*command, cwd=shop)

    done = run(test)
    assert done.code == 0, done.out + done.err
    _said(tested, by=done.out)

    (command,) = _commands(dev_block)
    with running(*command, ".", *dev_ports(), cwd=shop) as process:
        process.until("Running.")
        _said(started, by=_without_ports(process.said))
        dev = DevRun(shop, process)
        last = _run_all(first, dev)
        _said(traced, by=last)

        before = len(process.said)
        (shop / "journeys/welcome.yaml").write_text(journey.text)
        _said(published, by=process.until("version 2", after=before))

        signed_up, shown, ordered, ended = _commands(second)
        assert dev.sojourn(*signed_up).code == 0
        until(lambda: _step(dev) == "second-chance", 40, lambda: str(_instance(dev)))
        assert "second-chance" in dev.sojourn(*shown).out
        assert dev.sojourn(*ordered).code == 0
        until(lambda: _instance(dev).get("status") == "completed", 40, lambda: str(_instance(dev)))
        _said(late, by=dev.sojourn(*ended).out)

    done = run(failing)
    assert done.code == 1
    _said(failed, by=done.out)
    (shop / "tests/welcome.yaml").write_text(scenarios.text)
    done = run(passing)
    assert done.code == 0, done.out + done.err
    _said(passed, by=done.out)


def _run_all(block: Block, dev: DevRun) -> str:
    """Run the commands of a block; the last one once Ada's instance has ended. Returns what that one says."""
    *others, last = _commands(block)
    for command in others:
        done = dev.sojourn(*command)
        assert done.code == 0, done.out + done.err
    until(lambda: dev.outcome("welcome:ada") is not None, 40)
    return dev.sojourn(*last).out


def _instance(dev: DevRun) -> dict[str, Any]:
    found: dict[str, Any] = dev.get("/v1/instances/welcome:dora")
    return found


def _step(dev: DevRun) -> Any:
    return _instance(dev).get("step")


def _without_ports(said: str) -> str:
    """Return what `dev` said without the ports, which are others in a test."""
    lines = []
    for line in said.splitlines():
        head, found, rest = line.partition("http://127.0.0.1:")
        lines.append(head + found + rest.lstrip("0123456789") if found else line)
    return "\n".join(lines)
