"""What documents show is true: definitions load, commands exist and run, links lead somewhere."""

from __future__ import annotations

import ast
import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from sojourn.cli.commands.instance_actions import ShowsByDefault
from sojourn.definitions import load_texts
from sojourn.expressions import compile as compile_expression
from tests.cli.conftest import dev_ports
from tests.cli.support import environment, running
from tests.repo.documents import VERBS, Block, all_blocks, blocks, documents
from tests.repo.tree import ROOT, shown

KINDS = ("event", "source", "action", "profile", "journey")
"""First keys of the documents of a journey project."""

UNCHECKED = {"", "text", "http", "diff", "ini", "sql"}
SHELLS = {"console", "sh", "bash", "shell"}


def ids(block: Block) -> str:
    """The name of a block's test."""
    return block.where


@pytest.mark.parametrize("block", all_blocks(), ids=ids)
def test_every_block_says_what_it_is(block: Block) -> None:
    """Each block has a language that is checked, or none; a directive is known and has a reason."""
    assert block.language in UNCHECKED | SHELLS | {
        "yaml",
        "json",
        "jsonl",
        "python",
        "toml",
        "cel",
        "dockerfile",
        "go",
        "java",
        "typescript",
        "make",
    }
    assert block.verb in ("", *VERBS), f"{block.where}: write one of {', '.join(VERBS)}"
    assert not block.verb or block.argument, f"{block.where}: say why, after a comma"


def _documents_in(text: str) -> list[Any]:
    return [document for document in yaml.safe_load_all(text) if document is not None]


def _is_project(block: Block) -> bool:
    if block.verb == "parse":
        return False
    if block.verb == "project":
        return True
    found = _documents_in(block.text)
    return bool(found) and all(isinstance(d, dict) and d and next(iter(d)) in KINDS for d in found)


@pytest.mark.parametrize("path", documents(), ids=shown)
def test_definitions_load(path: Path) -> None:
    """What a page defines is a project without errors: blocks of one name together, the others as one."""
    projects: dict[str, dict[str, str]] = {}
    for block in blocks(path):
        if block.language == "yaml" and block.verb != "skip" and _is_project(block):
            name = block.argument if block.verb == "project" else ""
            projects.setdefault(name, {})[f"line-{block.line}.yaml"] = block.text
    for name, texts in projects.items():
        errors = [str(problem) for problem in load_texts(texts).problems if problem.severity == "error"]
        assert not errors, f"{shown(path)}, project {name or 'of all blocks'}:\n" + "\n".join(errors)


def _parse_expressions(text: str) -> None:
    """Compile each line; what follows `//` on it is a comment."""
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("//"):
            compile_expression(re.split(r"\s+//", line)[0])


PARSERS: dict[str, Callable[[str], object]] = {
    "cel": _parse_expressions,
    "json": json.loads,
    "jsonl": lambda text: [json.loads(line) for line in text.splitlines()],
    "python": lambda text: compile(text, "block", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT),
    "toml": tomllib.loads,
    "yaml": _documents_in,
}


@pytest.mark.parametrize(
    "block", [b for b in all_blocks() if b.language in PARSERS and b.verb != "skip"], ids=ids
)
def test_blocks_are_valid_in_their_language(block: Block) -> None:
    """What a block says it is, it is: JSON parses, Python compiles, expressions are expressions."""
    PARSERS[block.language](block.text)


def _commands(block: Block) -> list[str]:
    """The commands of a block: lines with a prompt, or all lines of a script, continued ones joined."""
    lines = re.sub(r"\\\n\s*", " ", block.text).splitlines()
    if block.language in {"sh", "bash", "shell"}:
        return [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    return [line[2:] for line in lines if line.startswith("$ ")]


def _mentions(block: Block) -> list[str]:
    """Every line of a block that calls `sojourn`, whatever the block's language."""
    lines = re.sub(r"\\\n\s*", " ", block.text).splitlines()
    return [line.removeprefix("$ ").strip() for line in lines if re.match(r"(\$ )?sojourn [a-z-]+", line)]


@pytest.mark.parametrize("block", [block for block in all_blocks() if _mentions(block)], ids=ids)
def test_commands_exist(block: Block) -> None:
    """Each `sojourn` command that is shown exists, and so does each of its options."""
    from sojourn.cli.main import app

    for line in _mentions(block):
        words = shlex.split(line, comments=True)[1:]
        command: Any = typer.main.get_command(app)
        while hasattr(command, "commands") and words:
            if command.invoke_without_command and words[0].startswith(("-", "[")):
                break  # the group does something itself
            name = words.pop(0)
            if isinstance(command, ShowsByDefault) and name not in command.commands:
                break  # what it is to show
            assert name in command.commands, f"{block.where}: there is no command {name!r} in `{line}`"
            command = command.commands[name]
        options = {
            option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)
        }
        for word in words:
            if re.match(r"--?[a-z]", word):
                assert word.split("=")[0] in options | {"--help", "-h"}, (
                    f"{block.where}: no option {word} in `{line}`"
                )


@pytest.mark.parametrize(
    "path", [p for p in documents() if any(b.language in SHELLS and not b.verb for b in blocks(p))], ids=shown
)
def test_commands_run(path: Path, tmp_path: Path) -> None:
    """The shown commands of a page run one after the other in one folder; `make` targets exist.

    Only `sojourn` is called. Whatever else a block shows needs a reason to be skipped.
    """
    variables = environment(
        {"SOJOURN_DATABASE": "sqlite:///sojourn.db", "HOME": str(tmp_path), "NO_COLOR": "1"}
    )
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    folder = tmp_path
    for block in blocks(path):
        if block.language not in SHELLS or block.verb:
            continue
        for line in _commands(block):
            words = shlex.split(line, comments=True)
            if words[0] == "make":
                target = next((word for word in words[1:] if "=" not in word), "help")
                assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE), (
                    block.where
                )
            elif words[0] == "cd":
                folder = folder / words[1]
            elif words[0] == "sojourn":
                done = subprocess.run(
                    [sys.executable, "-m", *words], cwd=folder, env=variables, timeout=60,
                    stdin=subprocess.DEVNULL, capture_output=True, check=False, text=True,
                )  # fmt: skip
                assert done.returncode == 0, f"{block.where}: `{line}`\n{done.stdout}{done.stderr}"
            else:
                pytest.fail(
                    f"{block.where}: `{line}` is not run by this test: say why with <!-- test: skip, ... -->"
                )


LIVE = [p for p in documents() if any(b.verb == "live" for b in blocks(p))]


@pytest.mark.slow
@pytest.mark.parametrize("path", LIVE, ids=shown)
def test_live_examples_work(path: Path, tmp_path: Path) -> None:
    """Commands and programs of a page that talk to the API do what they say, against a running `dev`."""
    live = [block for block in blocks(path) if block.verb == "live"]
    (example,) = {block.argument for block in live}
    shutil.copytree(ROOT / "examples" / example, tmp_path / example)
    folder = tmp_path / example
    with running("dev", ".", *dev_ports(), cwd=folder) as dev:
        dev.until("Running.")
        url = json.loads((folder / ".sojourn/dev.json").read_text("utf-8"))["api"]
        for block in live:
            text = block.text.replace("http://127.0.0.1:8080", url)
            for words in _live_commands(replace(block, text=text), folder):
                done = subprocess.run(
                    words, cwd=folder, env=environment(), stdin=subprocess.DEVNULL, timeout=60,
                    capture_output=True, check=False, text=True,
                )  # fmt: skip
                assert done.returncode == 0, f"{block.where}: {done.stdout}{done.stderr}"


def _live_commands(block: Block, folder: Path) -> list[list[str]]:
    """The commands that do what a block shows; JSON lines become the file `events.jsonl`."""
    if block.language == "jsonl":
        (folder / "events.jsonl").write_text(block.text, "utf-8")
        return []
    if block.language == "python":
        return [[sys.executable, "-c", block.text]]
    commands = []
    for words in (shlex.split(line, comments=True) for line in _commands(block)):
        if words[0] == "sojourn":
            commands.append([sys.executable, "-m", *words])
        elif words[0] == "curl" and shutil.which("curl"):
            commands.append(["curl", "--fail-with-body", *words[1:]])
    return commands


def _links(path: Path) -> list[tuple[int, str]]:
    found, fenced = [], False
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        if not fenced:
            plain = re.sub(r"`[^`]*`", "", line)
            found += [(number, target) for target in re.findall(r"\]\(([^)\s]+)\)", plain)]
    return found


@pytest.mark.parametrize("path", documents(), ids=shown)
def test_links_lead_somewhere(path: Path) -> None:
    """A link to a file of the repository leads to one that exists; the site's own checker sees to anchors."""
    broken = []
    for number, target in _links(path):
        if not re.match(r"[a-z]+:|#", target) and not (path.parent / target.split("#")[0]).exists():
            broken.append(f"{shown(path)}:{number}: {target}")
    assert not broken, "\n".join(broken)


def _pages(entry: Any) -> list[str]:
    if isinstance(entry, str):
        return [entry]
    return [
        page for value in (entry.values() if isinstance(entry, dict) else entry) for page in _pages(value)
    ]


def test_every_page_is_in_the_navigation() -> None:
    """The site's navigation names every page, and no page that is not there."""
    nav = _pages(tomllib.loads((ROOT / "zensical.toml").read_text("utf-8"))["project"]["nav"])
    there = {
        path.relative_to(ROOT / "docs").as_posix()
        for path in documents()
        if path.is_relative_to(ROOT / "docs")
    }
    assert len(nav) == len(set(nav))
    assert set(nav) == there


@pytest.mark.slow
def test_the_site_builds_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    """The documentation builds without a warning, and its pages fetch no script, style, font or picture."""
    pytest.importorskip("zensical", reason="the dependency group `docs` is not installed")
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    shutil.copy(ROOT / "zensical.toml", tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--strict"],
        cwd=tmp_path, capture_output=True, check=False, text=True, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)
    pages = list((tmp_path / "site").rglob("*.html"))
    assert len(pages) > len(list((tmp_path / "docs").rglob("*.md")))
    for page in pages:
        text = page.read_text("utf-8")
        fetched = re.findall(
            r"<(?:script|link|img|iframe)\b[^>]*(?:src|href)=\"((?:https?:)?//[^\"]*)\"", text
        )
        assert not fetched, f"{page.name}: {fetched}"
        assert 'class="mermaid"' not in text, (
            f"{page.name}: diagrams are drawn by a script from elsewhere; use text"
        )


def test_the_readme_shows_the_example_as_it_is() -> None:
    """The journey in the README is the example's, with lines left out and none changed."""
    example = iter(
        (ROOT / "examples/cart-abandonment/journeys/cart-abandonment.yaml").read_text("utf-8").splitlines()
    )
    (shown_block,) = (block for block in blocks(ROOT / "README.md") if block.language == "yaml")
    for line in shown_block.text.splitlines():
        assert line in example, f"{line!r} is not in the example, or not there"
