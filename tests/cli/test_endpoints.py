"""`sojourn endpoints` against a running `dev`: what fails is seen, what is set reaches the worker."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sojourn.cli.commands.endpoints import _rate
from sojourn.cli.output import CliError, ExitCode
from sojourn.cli.tables import ago
from tests.cli.conftest import DevRun, dev_ports, write_project
from tests.cli.support import quickly, running, until
from tests.conftest import free_port

TOKEN = "hunter2-of-the-mailer"

ENDPOINTS = """\
action: email.send
description: Sends a mail.
url: http://127.0.0.1:{port}/messages
parameters: {{to: {{type: string}}}}
auth: {{type: bearer, token: {{secret: MAIL_TOKEN}}}}
throttle: {{calls: 200, per: 1s, expire: 6h}}
---
source: crm.customer
url: http://127.0.0.1:{port}/customers/{{id}}
parameters: {{id: {{type: string}}}}
cap: {{calls: 100, per: 1s}}
"""

JOURNEYS = """\
event: mail.wanted
key: event.customerId
---
event: look.wanted
key: event.customerId
---
journey: mailing
entry: {event: mail.wanted}
steps:
  send: {action: email.send, with: {to: "${entry.customerId}"}, on_error: failed}
  done: {end: sent}
  failed: {end: "${journey.last_error.code}"}
---
journey: looking
entry: {event: look.wanted}
steps:
  look: {fetch: crm.customer, with: {id: "${entry.customerId}"}, on_error: failed}
  done: {end: found}
  failed: {end: "${journey.last_error.code}"}
"""


@dataclass
class Mailer:
    """An HTTP server in a thread whose answer the test sets."""

    port: int = 0
    status: int = 200
    calls: int = 0


@pytest.fixture(scope="module")
def mailer() -> Iterator[Mailer]:
    """The other side of the endpoints."""
    state = Mailer()

    class Handler(http.server.BaseHTTPRequestHandler):
        def _serve(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            state.calls += 1
            self.send_response(state.status)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        do_GET = do_POST = _serve  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield state
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def steered(tmp_path_factory: pytest.TempPathFactory, mailer: Mailer) -> Iterator[DevRun]:
    """A `sojourn dev` with an action and a source at the mailer."""
    folder = write_project(
        tmp_path_factory.mktemp("mail"), endpoints=ENDPOINTS.format(port=mailer.port), journeys=JOURNEYS
    )
    (folder / ".env").write_text(f"MAIL_TOKEN={TOKEN}\n")
    with running("dev", ".", *dev_ports(), cwd=folder) as process:
        process.until("Running.")
        yield DevRun(folder, process)


def run(steered: DevRun, event: str, customer: str) -> str:
    """Send an event and return how the instance that it starts has ended."""
    journey = {"mail.wanted": "mailing", "look.wanted": "looking"}[event]
    assert steered.sojourn("send", event, "--data", json.dumps({"customerId": customer})).code == 0
    until(lambda: bool(steered.outcome(f"{journey}:{customer}")), 60)
    return str(steered.outcome(f"{journey}:{customer}"))


def found(steered: DevRun, name: str) -> Any:
    """What --json says of an endpoint in the list."""
    return next(item for item in steered.json("endpoints")["endpoints"] if item["name"] == name)


def test_the_list_shows_endpoints_and_their_limits(steered: DevRun, mailer: Mailer) -> None:
    """One row for each, with host and limits; no path, no secret."""
    shown = steered.sojourn("endpoints").out
    (mail,) = (line for line in shown.splitlines() if "email.send" in line)
    assert f"POST 127.0.0.1:{mailer.port}" in mail
    assert "200/s, 6h" in mail
    (crm,) = (line for line in shown.splitlines() if "crm.customer" in line)
    assert "100/s" in crm
    assert TOKEN not in shown
    assert "set by an operator" not in shown


def test_failed_calls_reach_the_list_and_the_page_of_the_endpoint(steered: DevRun, mailer: Mailer) -> None:
    """The worker writes them about once a second: code, status, journey, step; no customer, no secret."""
    mailer.status = 404
    assert run(steered, "mail.wanted", "ann@example.com") == "completed: http_404"
    mailer.status = 200
    until(lambda: bool(found(steered, "email.send")["last_error"]), 30)
    error = found(steered, "email.send")["last_error"]
    assert (error["code"], error["status"], error["final"]) == ("http_404", 404, True)
    assert (error["journey"], error["step"]) == ("mailing", "send")
    assert "http_404, " in steered.sojourn("endpoints").out
    shown = steered.sojourn("endpoints", "show", "email.send").out
    assert "action email.send: Sends a mail." in shown
    assert f"POST http://127.0.0.1:{mailer.port}/messages" in shown
    assert "MAIL_TOKEN" in shown
    assert "the answer is HTTP 404" in shown
    assert "mailing" in shown
    whole = shown + json.dumps(steered.json("endpoints", "show", "email.send"))
    assert TOKEN not in whole
    assert "ann@example.com" not in whole


def test_a_cap_that_is_set_holds_in_the_running_worker(steered: DevRun, mailer: Mailer) -> None:
    """One call a day: the second is `capped`, without a restart; after the reset calls are made again.

    A test call is made all the same, also of what is published.
    """
    result = steered.sojourn("endpoints", "set", "crm.customer", "--cap", "1/d")
    assert result.out == "cap: 1/d (set by an operator; published: 100/s)\n"
    assert "1/d *" in steered.sojourn("endpoints").out
    assert "* set by an operator" in steered.sojourn("endpoints").out
    customers = iter(range(1000))
    outcomes: list[str] = []

    def capped() -> bool:
        outcomes.append(run(steered, "look.wanted", f"c-{next(customers)}"))
        return outcomes[-1] == "completed: capped"

    until(capped, 60, lambda: f"never capped: {outcomes}")
    until(lambda: (found(steered, "crm.customer")["last_error"] or {}).get("code") == "capped", 30)
    for more in ([], ["--published"]):
        trial = steered.json("call", "crm.customer", "--with", "id=1", *more)
        assert trial["result"] == {"status": 200, "body": {}}
    result = steered.sojourn("endpoints", "reset", "crm.customer", "--cap")
    assert result.out == "cap: 100/s (as published)\n"
    until(lambda: run(steered, "look.wanted", f"c-{next(customers)}") == "completed: found", 60)


def test_a_throttle_is_set_and_publishing_leaves_it_alone(steered: DevRun) -> None:
    """What publishing prints says so; the reset puts back what was published."""
    result = steered.sojourn("endpoints", "set", "email.send", "--throttle", "5/10s", "--expire", "1h")
    assert result.out == "throttle: 5/10s, 1h (set by an operator; published: 200/s, 6h)\n"
    published = steered.sojourn("publish", ".")
    assert (
        "warning: the action email.send keeps the throttle of 5 in 10s that an operator set" in published.out
    )
    assert found(steered, "email.send")["throttle"]["calls"] == 5
    assert steered.json("endpoints", "reset", "action:email.send")["throttle"]["set_by"] == "definition"
    assert "warning: the action" not in steered.sojourn("publish", ".").out


def test_the_published_endpoint_can_be_called(steered: DevRun, mailer: Mailer) -> None:
    """--published takes the definition from the API, also where the files say something else."""
    text = (steered.folder / "endpoints.yaml").read_text()
    elsewhere = steered.folder / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "endpoints.yaml").write_text(text.replace("/customers/", "/other/"))
    before = mailer.calls
    words = ["call", "crm.customer", "--with", "id=1", "--json"]
    files = quickly(*words, cwd=elsewhere)
    published = quickly(*words, "--published", "--api", steered.api, cwd=elsewhere)
    assert json.loads(files.out)["request"]["url"].endswith("/other/1")
    assert json.loads(published.out)["request"]["url"].endswith("/customers/1")
    assert mailer.calls == before + 2


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["set", "email.send"], ExitCode.USAGE, "give a limit to set"),
        (
            ["set", "email.send", "--cap", "1/s", "--expire", "1h"],
            ExitCode.USAGE,
            "--expire belongs to --throttle",
        ),
        (["set", "email.send", "--cap", "many"], ExitCode.USAGE, "such as 100/s, 5/10s or 1000/h"),
        (["set", "email.send", "--cap", "0/s"], ExitCode.PROBLEMS, "from 1 to 10,000,000"),
        (["set", "email.send", "--throttle", "1/90d"], ExitCode.PROBLEMS, "at least one call a day"),
        (["set", "email.send", "--throttle", "1/s", "--expire", "x"], ExitCode.PROBLEMS, "is not a duration"),
        (["set", "crm.customer", "--throttle", "1/s"], ExitCode.PROBLEMS, "A source is not throttled"),
        (["show", "email.sent"], ExitCode.PROBLEMS, "did you mean email.send?"),
        (["show", "source:email.send"], ExitCode.PROBLEMS, "there is no source email.send"),
        (["reset", "nothing-like-it"], ExitCode.PROBLEMS, "it has action:email.send, source:crm.customer"),
    ],
)
def test_what_makes_no_sense_is_refused(
    steered: DevRun, words: list[str], code: ExitCode, message: str
) -> None:
    """With what to write instead, and nothing is set."""
    result = steered.sojourn("endpoints", *words)
    assert (result.code, message in result.err) == (code, True), result.err
    assert "Traceback" not in result.err


def test_options_stand_after_the_command(tmp_path: Path) -> None:
    """An option that would be passed over is refused."""
    result = quickly("endpoints", "--json", "show", "x", cwd=tmp_path)
    assert result.code == ExitCode.USAGE
    assert "write it after show" in result.err


def test_no_api_is_said_with_what_to_start(tmp_path: Path) -> None:
    """As by every command that needs one."""
    for words in (["endpoints"], ["endpoints", "set", "x", "--cap", "1/s"]):
        result = quickly(*words, cwd=tmp_path, env={"SOJOURN_API": f"http://127.0.0.1:{free_port()}"})
        assert result.code == ExitCode.UNREACHABLE
        assert "start it with `sojourn dev`" in result.err


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("100/s", {"calls": 100, "per": "1s"}),
        ("5/10s", {"calls": 5, "per": "10s"}),
        ("5/10", {"calls": 5, "per": "10s"}),
        ("1000/h", {"calls": 1000, "per": "1h"}),
        (" 2 / 250ms ", {"calls": 2, "per": "250ms"}),
        ("3/0.5s", {"calls": 3, "per": "0.5s"}),
    ],
)
def test_rates_are_read_as_people_write_them(text: str, expected: dict[str, Any]) -> None:
    """Calls, a slash, and a time whose number may be left out."""
    assert _rate("--cap", text) == expected


@pytest.mark.parametrize("text", ["", "100", "100/", "/s", "1.5/s", "-1/s", "1/x", "1/s/s", "1/2y", "a/s"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    """Never taken for something that nobody meant."""
    with pytest.raises(CliError, match="is no rate"):
        _rate("--cap", text)


def test_ages_are_told_in_one_unit() -> None:
    """As people say them."""
    from datetime import UTC, datetime, timedelta

    now = datetime(2026, 3, 1, tzinfo=UTC)
    spans = {0: "0 s", 59: "59 s", 61: "1 min", 7200: "2 h", 90_000: "1 d", -5: "0 s"}
    for seconds, told in spans.items():
        assert ago((now - timedelta(seconds=seconds)).isoformat(), now) == f"{told} ago"
