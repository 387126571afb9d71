"""Commands that need nothing running: what they write, what they refuse, and how they end."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sojourn.cli.output import ExitCode
from sojourn.cli.reference import markdown
from tests.cli.conftest import JOURNEY, write_project
from tests.cli.support import COMMAND, environment, in_terminal, quickly, running, sojourn
from tests.conftest import free_port


def closed() -> dict[str, str]:
    """An environment whose API is a port on which nothing listens."""
    return {"SOJOURN_API": f"http://127.0.0.1:{free_port()}"}


def test_reference_page_is_what_the_commands_say() -> None:
    """`docs/reference/cli.md` is made from the commands, and up to date."""
    page = Path(__file__).parents[2] / "docs/reference/cli.md"
    assert page.read_text("utf-8") == markdown(), (
        "run: python -m sojourn.cli.reference > docs/reference/cli.md"
    )


def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    """`--help` needs neither Temporal's client nor the database nor HTTP."""
    program = (
        "import sys; from sojourn.cli.main import app; app(['--help'], standalone_mode=False);"
        "print([name for name in ('temporalio', 'sqlalchemy', 'httpx', 'pydantic', 'fastapi')"
        " if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment()
    )
    assert done.stdout.splitlines()[-1] == "[]"
    assert "Exit status: 0 fine" in done.stdout


@pytest.mark.parametrize("command", ["dev", "init", "send", "instances", "worker", "keys"])
def test_each_command_explains_itself(command: str, tmp_path: Path) -> None:
    """`-h` is help, with status 0."""
    result = quickly(command, "-h", cwd=tmp_path)
    assert result.code == ExitCode.OK
    assert f"Usage: sojourn {command}" in result.out


def test_defect_is_a_sentence_and_a_traceback_only_on_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error that nobody foresaw is admitted, with status 70."""

    def fail(url: str | None) -> str:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr("sojourn.cli.api_client.api_url", fail)
    result = quickly("journeys", cwd=tmp_path)
    assert result.code == ExitCode.DEFECT
    assert "ZeroDivisionError: by nothing" in result.err
    assert "Traceback" not in result.err
    with pytest.raises(ZeroDivisionError):
        quickly("journeys", cwd=tmp_path, env={"SOJOURN_DEBUG": "1"})


@pytest.mark.parametrize(
    "arguments",
    [
        ["journeys"],
        ["journeys", "show", "x"],
        ["instances"],
        ["instances", "a:b"],
        ["send", "a.b"],
        ["publish", "."],
    ],
)
def test_no_api_is_said_with_what_to_start(arguments: list[str], tmp_path: Path) -> None:
    """Status 3, the URL, and the two commands that start one; no traceback."""
    write_project(tmp_path)
    env = closed()
    run = sojourn if arguments == ["journeys"] else quickly
    result = run(*arguments, cwd=tmp_path, env=env)
    assert result.code == ExitCode.UNREACHABLE
    assert f"nothing answers at {env['SOJOURN_API']}: start it with `sojourn dev`" in result.err
    assert "sojourn api" in result.err
    assert "Traceback" not in result.err
    assert result.out == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nonsense"], "No such command 'nonsense'"),
        (["send"], "give either the NAME of an event or --file FILE"),
        (["send", "a.b", "--file", "x"], "give either the NAME of an event or --file FILE"),
        (["send", "--file", "x", "--data", "{}"], "--data, --id and --time belong to a single event"),
        (["send", "a.b", "--data", "{'x': 1}"], "--data is not JSON: Expecting property name"),
        (["send", "--file", "missing.jsonl"], "missing.jsonl cannot be read: No such file"),
        (["send", "--file", "."], ". cannot be read: Is a directory"),
        (["journeys", "--api", "localhost:8080"], "'localhost:8080' is no URL of an API"),
        (["validate", "missing"], "missing does not exist"),
        (["publish", "missing"], "missing does not exist"),
        (["keys", "create", "me", "--scope", "all"], "there is no scope 'all'"),
        (["worker", "--wait", "-1"], "greater than or equal to 0"),
    ],
)
def test_wrong_usage_is_explained(arguments: list[str], message: str, tmp_path: Path) -> None:
    """Status 2 and a sentence that says what to write."""
    result = quickly(
        *arguments, cwd=tmp_path, env=closed() | {"SOJOURN_DATABASE": f"sqlite:///{tmp_path}/s.db"}
    )
    assert result.code == ExitCode.USAGE
    assert message in " ".join(re.sub(r"[│╭╰─╮╯]", " ", result.err).split())
    assert "Traceback" not in result.err


def test_validate_lists_every_problem(tmp_path: Path) -> None:
    """All problems of all files at once, each with its place; status 1."""
    write_project(tmp_path, more="event: [\n", actions="action: mail.send\nmethod: POST\n")
    journey = tmp_path / "journeys/follow-up.yaml"
    journey.write_text(JOURNEY.replace("lead.won", "lead.one").replace("90d", "soon"))
    result = quickly("validate", cwd=tmp_path)
    assert result.code == ExitCode.PROBLEMS
    places = [line.split(": ")[1].rpartition(":")[0] for line in result.out.splitlines() if "error: " in line]
    assert {place.split(":")[0] for place in places} >= {
        "actions.yaml",
        "journeys/follow-up.yaml",
        "more.yaml",
    }
    answer = json.loads(quickly("validate", "--json", cwd=tmp_path).out)
    assert answer["ok"] is False
    assert len(answer["problems"]) == len(places)
    assert {"code", "severity", "file", "line", "column", "field", "message", "hint"} <= set(
        answer["problems"][0]
    )


def test_validate_passes_a_right_project(tmp_path: Path) -> None:
    """Status 0, and what was found."""
    result = quickly("validate", write_project(tmp_path / "shop"), cwd=tmp_path)
    assert result.code == ExitCode.OK
    assert "(1 journey, 2 events, 0 endpoints in 2 files)" in result.out


def test_publish_refuses_errors_before_asking_anybody(tmp_path: Path) -> None:
    """The problems are said, with status 1, also where no API runs."""
    write_project(tmp_path, more="event: [\n")
    result = quickly("publish", cwd=tmp_path, env=closed())
    assert result.code == ExitCode.PROBLEMS
    assert "error: more.yaml:" in result.err
    assert "not published: 1 error" in result.err


def test_schema_is_json_schema(tmp_path: Path) -> None:
    """`schema` prints one, and writes one to a file."""
    printed = quickly("schema", cwd=tmp_path)
    assert "$defs" in json.loads(printed.out) or "oneOf" in json.loads(printed.out)
    assert quickly("schema", "-o", "s.json", cwd=tmp_path).code == 0
    assert json.loads((tmp_path / "s.json").read_text()) == json.loads(printed.out)
    wrong = quickly("schema", "-o", "no/such/folder.json", cwd=tmp_path)
    assert (wrong.code, "cannot be written: No such file" in wrong.err) == (ExitCode.USAGE, True)


def test_keys_are_made_listed_and_revoked(tmp_path: Path) -> None:
    """The key is printed once, alone on standard output; the database keeps only a hash."""
    env = {"SOJOURN_DATABASE": f"sqlite:///{tmp_path}/keys.db"}
    none = quickly("keys", "list", cwd=tmp_path, env=env)
    assert "There are no keys in sqlite:///" in none.out
    made = quickly("keys", "create", "shop", "--scope", "events", "--scope", "read", cwd=tmp_path, env=env)
    key = made.out.strip()
    assert re.fullmatch(r"sjk_[\w-]{40,}", key)
    assert "This is the first key" in made.err
    listed = json.loads(quickly("keys", "list", "--json", cwd=tmp_path, env=env).out)
    assert [(item["label"], item["scopes"], item["revoked_at"]) for item in listed] == [
        ("shop", ["events", "read"], None)
    ]
    for path in tmp_path.iterdir():
        assert key.encode() not in path.read_bytes()
    assert quickly("keys", "revoke", listed[0]["id"], cwd=tmp_path, env=env).code == 0
    again = quickly("keys", "revoke", listed[0]["id"], cwd=tmp_path, env=env)
    assert again.code == ExitCode.PROBLEMS
    assert "no good key" in again.err


def test_wrong_settings_name_the_variable(tmp_path: Path) -> None:
    """A setting that makes no sense is named, with status 2."""
    env = {"SOJOURN_API_PORT": "many", "SOJOURN_DATABASE": f"sqlite:///{tmp_path}/s.db"}
    result = quickly("keys", "list", cwd=tmp_path, env=env)
    assert result.code == ExitCode.USAGE
    assert "SOJOURN_API_PORT: Input should be a valid integer" in result.err


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite:////nowhere/at/all.db", "the folder /nowhere/at of the database does not exist"),
        ("mysql://root@localhost/x", "SOJOURN_DATABASE"),
    ],
)
def test_unusable_database_is_explained(url: str, message: str, tmp_path: Path) -> None:
    """What is wrong with the database is said, and no password shown."""
    result = quickly("keys", "list", cwd=tmp_path, env={"SOJOURN_DATABASE": url})
    assert result.code in {ExitCode.USAGE, ExitCode.UNREACHABLE}
    assert message in result.err
    assert "Traceback" not in result.err


def test_worker_without_temporal_gives_up_in_time(tmp_path: Path) -> None:
    """It says where it looked, tries again, and ends with status 3."""
    address = f"127.0.0.1:{free_port()}"
    env = {"TEMPORAL_ADDRESS": address, "SOJOURN_DATABASE": f"sqlite:///{tmp_path}/s.db"}
    result = sojourn("worker", "--wait", "1", cwd=tmp_path, env=env)
    assert result.code == ExitCode.UNREACHABLE
    assert f"no Temporal server answers at {address}" in result.err
    assert "Trying again for 1 seconds." in result.err
    assert "Traceback" not in result.err


def test_worker_that_waits_for_temporal_can_be_stopped(tmp_path: Path) -> None:
    """SIGTERM ends the waiting, with status 0: nothing went wrong."""
    env = {"TEMPORAL_ADDRESS": f"127.0.0.1:{free_port()}", "SOJOURN_DATABASE": f"sqlite:///{tmp_path}/s.db"}
    with running("worker", cwd=tmp_path, env=env) as worker:
        worker.until("Trying again")
        assert worker.end(signal.SIGTERM) == ExitCode.OK


def test_output_into_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    """`sojourn schema | head -1` says nothing on standard error."""
    command = f"'{COMMAND[0]}' -m sojourn schema | head -c 1"
    done = subprocess.run(
        command, shell=True, capture_output=True, text=True, cwd=tmp_path, env=environment(), check=False
    )
    assert done.stderr == ""


def test_no_colours_in_a_pipe_or_with_no_color(tmp_path: Path) -> None:
    """Output that is no terminal has no escape sequences, nor has a terminal's with NO_COLOR."""
    assert "\x1b" not in quickly("--help", cwd=tmp_path).out
    colourful = in_terminal("journeys", cwd=tmp_path, env=closed() | {"TERM": "xterm"})
    assert "\x1b[31mError:" in colourful
    plain = in_terminal("journeys", cwd=tmp_path, env=closed() | {"TERM": "xterm", "NO_COLOR": "1"})
    assert "Error:" in plain
    assert "\x1b[31m" not in plain


def test_stale_dev_file_leads_nobody_astray(tmp_path: Path) -> None:
    """What a `dev` that is gone left behind is not believed."""
    write_project(tmp_path)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    (tmp_path / ".sojourn").mkdir()
    state = {"pid": ended.pid, "api": "http://127.0.0.1:1"}
    (tmp_path / ".sojourn/dev.json").write_text(json.dumps(state))
    result = quickly("journeys", cwd=tmp_path, env={"SOJOURN_API": ""})
    assert "127.0.0.1:1:" not in result.err


def test_commands_find_the_dev_of_a_folder_above(tmp_path: Path) -> None:
    """In a subfolder of the project the running `dev` is found too."""
    write_project(tmp_path)
    port = free_port()
    (tmp_path / ".sojourn").mkdir()
    state = {"pid": os.getpid(), "api": f"http://127.0.0.1:{port}"}
    (tmp_path / ".sojourn/dev.json").write_text(json.dumps(state))
    result = quickly("journeys", cwd=tmp_path / "journeys")
    assert f"nothing answers at http://127.0.0.1:{port}" in result.err
