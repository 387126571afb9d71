"""`sojourn call`: one real request, shown with what a journey would get of it."""

from __future__ import annotations

import http.server
import json
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sojourn.cli.output import ExitCode
from tests.cli.support import COMMAND, Result, environment, quickly
from tests.conftest import free_port

TOKEN = "hunter2-token-of-the-shop"

ENDPOINTS = """\
source: crm.customer
url: http://127.0.0.1:{port}/customers/{{id}}
parameters:
  id: {{type: string}}
  depth: {{type: integer, minimum: 1, optional: true}}
auth: {{type: bearer, token: {{secret: SHOP_TOKEN}}}}
cache: 1m
---
action: email.send
url: http://127.0.0.1:{port}/messages
parameters:
  to: {{type: string, description: an address}}
  tags: {{type: array, items: {{type: string}}, optional: true}}
  urgent: {{type: boolean, default: false}}
auth: {{type: api_key, header: X-Api-Key, value: {{secret: SHOP_TOKEN}}}}
response: {{type: object, required: [messageId]}}
---
action: crm.customer
url: http://127.0.0.1:{port}/customers
parameters: {{name: {{type: string}}}}
---
source: inside
url: http://10.0.0.1:81/secret
---
source: closed
url: http://127.0.0.1:{closed}/
---
source: by.token
url: http://127.0.0.1:{port}/echo
auth:
  {{type: oauth2, token_url: "http://127.0.0.1:{port}/token", client_id: me, client_secret: {{secret: SHOP_TOKEN}}}}
"""

Answer = tuple[int, bytes, dict[str, str]]


@dataclass
class Shop:
    """An HTTP server of the test's own, in a thread, that keeps what it was sent."""

    port: int = 0
    received: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    answer: Callable[[str, dict[str, str]], Answer] = lambda path, headers: (200, b"{}", {})


@pytest.fixture
def shop() -> Iterator[Shop]:
    """A running shop."""
    state = Shop()

    class Handler(http.server.BaseHTTPRequestHandler):
        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            state.received.append((self.command, self.path, headers, body))
            status, content, more = state.answer(self.path, headers)
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **more}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _serve  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            pass  # the other side has given up, as a test wants it to

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield state
    server.shutdown()
    server.server_close()
    thread.join(5)


@pytest.fixture
def project(tmp_path: Path, shop: Shop) -> Path:
    """A project whose endpoints are at the shop, with its secret in `.env`."""
    (tmp_path / "endpoints.yaml").write_text(ENDPOINTS.format(port=shop.port, closed=free_port()))
    (tmp_path / ".env").write_text(f"SHOP_TOKEN={TOKEN}\n")
    return tmp_path


def answering(body: Any, status: int = 200, **headers: str) -> Callable[[str, dict[str, str]], Answer]:
    """Answer every request with the same JSON."""
    content = json.dumps(body).encode() if not isinstance(body, bytes) else body
    return lambda path, sent: (status, content, {k.replace("_", "-"): v for k, v in headers.items()})


def call(project: Path, *words: str, **options: Any) -> Result:
    """Run `sojourn call` in the project."""
    return quickly("call", *words, cwd=project, **options)


def test_a_source_is_called_and_shown_with_what_a_step_would_get(project: Path, shop: Shop) -> None:
    """The request is really made, with its secret, which is not shown; the answer stands there whole."""
    shop.answer = answering({"email": "ann@example.com"}, X_Request_Id="r-1", Set_Cookie="a=b")
    result = call(project, "source:crm.customer", "--with", "id=a/b", "--with", "depth=2")
    assert result.code == ExitCode.OK, result.err
    ((method, path, headers, _),) = shop.received
    assert (method, path) == ("GET", "/customers/a%2Fb?depth=2")
    assert headers["authorization"] == f"Bearer {TOKEN}"
    assert "idempotency-key" not in headers
    lines = result.out.splitlines()
    assert lines[0] == f"GET http://127.0.0.1:{shop.port}/customers/a%2Fb?depth=2"
    assert "  Authorization: Bearer ***" in lines
    assert re.search(r"^HTTP 200 after \d+\.\d{3} s$", result.out, re.MULTILINE)
    assert "  x-request-id: r-1" in lines
    assert "a=b" not in result.out
    steps = result.out.partition("steps.<id> would be:\n")[2]
    assert json.loads(steps) == {"status": 200, "body": {"email": "ann@example.com"}}


def test_a_secret_is_shown_nowhere_even_where_the_other_side_repeats_it(project: Path, shop: Shop) -> None:
    """In no header, body or error, as text and as JSON."""

    def repeating(path: str, headers: dict[str, str]) -> Answer:
        told = {"you": headers["authorization"], TOKEN: 1}
        return 403, json.dumps(told).encode(), {"X-Request-Id": headers["authorization"]}

    shop.answer = repeating
    for extra in ([], ["--json"]):
        result = call(project, "crm.customer", "--source", "--with", "id=1", *extra)
        assert result.code == ExitCode.PROBLEMS
        assert "Bearer ***" in result.out
        assert TOKEN not in result.out + result.err
    shop.answer = lambda path, headers: (200, f"<p>{headers['authorization']}".encode(), {})
    result = call(project, "crm.customer", "--source", "--with", "id=1")
    assert "<p>Bearer ***" in result.out
    assert TOKEN not in result.out + result.err


def test_a_fetched_token_is_shown_nowhere(project: Path, shop: Shop) -> None:
    """It is no secret of the deployment, but as good as one."""

    def oauth(path: str, headers: dict[str, str]) -> Answer:
        if path == "/token":
            return 200, b'{"access_token": "fetched-token-77", "expires_in": 600}', {}
        return 200, b"no JSON: " + headers["authorization"].encode(), {}

    shop.answer = oauth
    result = call(project, "by.token")
    assert [path for _, path, _, _ in shop.received] == ["/token", "/echo"]
    assert shop.received[1][2]["authorization"] == "Bearer fetched-token-77"
    assert "  no JSON: Bearer ***" in result.out.splitlines()
    assert "fetched-token-77" not in result.out + result.err
    assert TOKEN not in result.out + result.err
    assert "2 requests with those for a token" in result.out


def test_an_action_is_sent_with_its_key_and_parameters(project: Path, shop: Shop) -> None:
    """Text, JSON and defaults arrive as the schema wants them; the key is the one that was given."""
    shop.answer = answering({"messageId": "m-1"})
    words = ["--with", "to=5", "--with", 'tags=["a", "b"]', "--with", "urgent=true"]
    result = call(project, "email.send", *words, "--yes", "--idempotency-key", "once-1", "--json")
    assert result.code == ExitCode.OK, result.err
    ((method, _, headers, body),) = shop.received
    assert (method, headers["idempotency-key"]) == ("POST", "once-1")
    assert json.loads(body) == {"to": "5", "tags": ["a", "b"], "urgent": True}
    told = json.loads(result.out)
    assert told["endpoint"] == "action:email.send"
    assert told["request"]["headers"] == [
        ["Content-Type", "application/json"],
        ["Idempotency-Key", "once-1"],
        ["X-Api-Key", "***"],
    ]
    assert told["result"] == {"status": 200, "body": {"messageId": "m-1"}}
    assert (told["sent"], told["error"]) == (True, None)


def test_without_a_key_each_call_has_a_new_one(project: Path, shop: Shop) -> None:
    """It is shown, so that the same call can be made again."""
    shop.answer = answering({"messageId": "m-1"})
    shown = []
    for _ in range(2):
        result = call(project, "email.send", "--with", '{"to": "x"}', "--yes")
        shown += re.findall(r"Idempotency-Key: (\S+)", result.out)
    assert len(set(shown)) == 2
    assert shown == [headers["idempotency-key"] for _, _, headers, _ in shop.received]


def test_parameters_come_from_a_file_and_from_standard_input(project: Path, shop: Shop) -> None:
    """What stands on the command line wins over what is in the file."""
    (project / "who.json").write_text('{"id": "from file", "depth": 3}')
    words = ["--source", "crm.customer", "--with", "id=word"]
    assert call(project, *words, "--with-file", "who.json").code == ExitCode.OK
    assert call(project, "source:crm.customer", "--with-file", "-", stdin='{"id": "7"}').code == ExitCode.OK
    assert [path for _, path, _, _ in shop.received] == ["/customers/word?depth=3", "/customers/7"]


def test_an_action_is_never_sent_without_being_asked_for(project: Path, shop: Shop) -> None:
    """Not at a terminal, and no --yes: what to write is said, and nothing is sent."""
    result = call(project, "email.send", "--with", "to=x")
    assert result.code == ExitCode.USAGE
    assert "write --yes to send it, or --dry-run to see it only" in result.err
    assert shop.received == []


@pytest.mark.parametrize(("answer", "sent", "code"), [("y", 1, 0), ("", 0, 1), ("no", 0, 1)])
def test_at_a_terminal_it_asks(project: Path, shop: Shop, answer: str, sent: int, code: int) -> None:
    """Only yes is yes."""
    shop.answer = answering({"messageId": "m-1"})
    program = (
        "import os, pty, sys\n"
        "pid, terminal = pty.fork()\n"
        "if pid == 0: os.execvp(sys.argv[2], sys.argv[2:])\n"
        "said, answered = b'', False\n"
        "while True:\n"
        "    try: data = os.read(terminal, 4096)\n"
        "    except OSError: break\n"
        "    if not data: break\n"
        "    said += data\n"
        "    if b'[y/N]' in said and not answered:\n"
        "        os.write(terminal, sys.argv[1].encode() + b'\\n'); answered = True\n"
        "sys.stdout.buffer.write(said)\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, answer, *COMMAND, "call", "email.send", "--with", "to=x"],
        cwd=project, env=environment(), capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    shown = done.stdout.decode("utf-8", "replace")
    assert f"This has an effect at http://127.0.0.1:{shop.port}/messages. Send it? [y/N]" in shown
    assert (len(shop.received), done.returncode) == (sent, code), shown


def test_dry_run_shows_the_request_and_sends_nothing(project: Path, shop: Shop) -> None:
    """No --yes is needed, and no secret: the request is shown without it."""
    (project / ".env").unlink()
    result = call(project, "email.send", "--with", "to=x", "--dry-run")
    assert result.code == ExitCode.OK
    assert f"POST http://127.0.0.1:{shop.port}/messages" in result.out
    assert "X-Api-Key: ***" in result.out
    assert '"urgent": false' in result.out
    told = json.loads(call(project, "email.send", "--with", "to=x", "--dry-run", "--json").out)
    assert (told["sent"], told["response"], told["request"]["body"]["to"]) == (False, None, "x")
    assert shop.received == []


@pytest.mark.parametrize(
    ("words", "messages"),
    [
        ([], ["to: is missing; write --with to=TEXT"]),
        (["--with", "to=x", "--with", "tag=1"], ["tag: there is no such parameter; did you mean tags?"]),
        (["--with", '{"to": 5}'], ['to: 5 is not of type "string" (an address)']),
        (
            ["--with", '{"to": "x", "tags": ["a", 2], "urgent": 1}'],
            ['tags[1]: 2 is not of type "string"', 'urgent: 1 is not of type "boolean"'],
        ),
        (["--with", "to"], ["--with 'to' is neither JSON nor key=value", "--with id=42"]),
        (["--with", "{'to': 1}"], ["--with is not JSON", "in single quotes"]),
        (["--with-file", "missing.json"], ["missing.json cannot be read"]),
        (
            ["--with", "to=x", "--idempotency-key", "a b"],
            ["--idempotency-key takes 1 to 255 ASCII characters"],
        ),
    ],
)
def test_wrong_parameters_are_named_with_what_to_write(
    project: Path, shop: Shop, words: list[str], messages: list[str]
) -> None:
    """All of them at once; nothing is sent, and the status is that of a wrong command line."""
    result = call(project, "email.send", "--yes", *words)
    assert result.code == ExitCode.USAGE
    for message in messages:
        assert message in result.err
    assert shop.received == []


def test_which_endpoint_is_meant(project: Path) -> None:
    """A name of both kinds is asked about, an unknown one has a nearest."""
    both = call(project, "crm.customer", "--dry-run")
    assert (both.code, "source:crm.customer or action:crm.customer" in both.err) == (ExitCode.USAGE, True)
    unknown = call(project, "email.sent")
    assert unknown.code == ExitCode.PROBLEMS
    assert "there is no source or action email.sent in this folder" in unknown.err
    assert "did you mean email.send?" in unknown.err
    assert call(project, "email.send", "--source").code == ExitCode.PROBLEMS


def test_errors_elsewhere_in_the_project_are_no_obstacle(project: Path, shop: Shop) -> None:
    """Somebody works on it; but an endpoint whose own definition is wrong is not called."""
    (project / "journey.yaml").write_text("journey: x\nentry: {event: nothing}\nsteps: {a: {end: done}}\n")
    result = call(project, "source:crm.customer", "--with", "id=1")
    assert result.code == ExitCode.OK
    assert "errors elsewhere; `sojourn validate` shows what is wrong" in result.err
    text = (
        (project / "endpoints.yaml")
        .read_text()
        .replace("cache: 1m", "cache: 1m\nthrottle: {calls: 1, per: 1s}")
    )
    (project / "endpoints.yaml").write_text(text)
    result = call(project, "source:crm.customer", "--with", "id=1")
    assert result.code == ExitCode.PROBLEMS
    assert "the source crm.customer cannot be called:" in result.err
    assert "endpoints.yaml:" in result.err
    assert call(project, "closed", "--dry-run").code == ExitCode.OK
    assert len(shop.received) == 1


@pytest.mark.parametrize(
    ("status", "body", "code", "advice"),
    [
        (401, {"no": 1}, "http_401", "does not accept who is calling: check the secret SHOP_TOKEN"),
        (404, {}, "http_404", "check `url`"),
        (429, {}, "http_429", "asks for fewer calls"),
        (503, {}, "http_503", "up to three more attempts"),
        (302, {}, "http_302", ""),
        (200, b"<html>", "invalid_response", "Correct `response`"),
    ],
)
def test_a_failed_call_says_its_code_and_what_to_do(
    project: Path, shop: Shop, status: int, body: Any, code: str, advice: str
) -> None:
    """What `journey.last_error` would be, and one attempt only."""
    shop.answer = answering(body, status)
    result = call(project, "source:crm.customer", "--with", "id=1")
    assert result.code == ExitCode.PROBLEMS
    assert f"HTTP {status} after" in result.out
    assert "The call failed. journey.last_error would be:" in result.out
    assert f'"code": "{code}"' in result.out
    assert advice in result.out
    # It was a look-up: none of what is said of actions.
    assert not any(word in result.out for word in ("effect", "throttle"))
    assert len(shop.received) == 1


def test_a_redirect_to_another_host_is_told_as_one(project: Path, shop: Shop) -> None:
    """There was an answer, which leads where calls to this endpoint do not go."""
    shop.answer = lambda path, headers: (302, b"{}", {"Location": "https://elsewhere.example.com/"})
    result = call(project, "source:crm.customer", "--with", "id=1")
    assert result.code == ExitCode.PROBLEMS
    assert "Given up after" in result.out
    assert "No answer" not in result.out
    assert "write the URL that it leads to" in result.out
    assert len(shop.received) == 1


def test_a_response_that_breaks_its_schema_is_an_error(project: Path, shop: Shop) -> None:
    """As for a journey: `invalid_response`, with the answer shown."""
    shop.answer = answering({"id": 1})
    told = json.loads(call(project, "email.send", "--with", "to=x", "--yes", "--json").out)
    assert (told["error"]["code"], told["response"]["body"]) == ("invalid_response", {"id": 1})


def test_nothing_that_answers_is_status_three(project: Path) -> None:
    """A port on which nothing listens."""
    result = call(project, "closed")
    assert result.code == ExitCode.UNREACHABLE
    assert '"code": "network"' in result.out
    assert "Is the host right, is it up" in result.out


def test_an_answer_that_does_not_come_is_waited_for_no_longer_than_asked(project: Path, shop: Shop) -> None:
    """--timeout is the window; its end is `timed_out`."""
    over = threading.Event()

    def late(path: str, headers: dict[str, str]) -> Answer:
        over.wait(30)
        return 200, b"{}", {}

    shop.answer = late
    result = call(project, "source:crm.customer", "--with", "id=1", "--timeout", "0.3")
    over.set()
    assert result.code == ExitCode.UNREACHABLE
    assert '"code": "timed_out"' in result.out


def test_a_refused_address_says_how_to_allow_it(project: Path, shop: Shop) -> None:
    """A private address is refused as workers refuse it; the hint names host and variable."""
    result = call(project, "inside")
    assert result.code == ExitCode.PROBLEMS
    assert "name 10.0.0.1:81 in SOJOURN_ALLOW_HOSTS" in result.out
    assert "set SOJOURN_ALLOW_HOSTS for this command" in result.out


def test_a_missing_secret_says_where_to_put_it(project: Path, shop: Shop) -> None:
    """Secrets come from the environment and from .env, as under `dev`."""
    (project / ".env").unlink()
    result = call(project, "source:crm.customer", "--with", "id=1")
    assert result.code == ExitCode.PROBLEMS
    assert "the secret SHOP_TOKEN may not be used here" in result.out
    assert "a line SHOP_TOKEN=... to .env" in result.out
    assert "reads variables of the environment, and .env in the project's folder" in result.out
    assert shop.received == []
    env = {"SOJOURN_SECRETS": "SHOP_TOKEN", "SHOP_TOKEN": "other-token"}
    assert call(project, "source:crm.customer", "--with", "id=1", env=env).code == ExitCode.OK
    assert shop.received[0][2]["authorization"] == "Bearer other-token"


def test_long_and_hostile_answers_do_no_harm_to_a_terminal(project: Path, shop: Shop) -> None:
    """A long body is cut for people, whole in --json; control characters do not reach the terminal."""
    shop.answer = answering({"list": list(range(500)), "bell": "\x07\x1b[2J\u009b"})
    words = ["source:crm.customer", "--with", "id=1"]
    shown = call(project, *words).out
    assert len(shown) < 20_000
    assert "--json shows them" in shown
    assert not re.search("[\x07\x1b\u009b]", shown)
    assert json.loads(call(project, *words, "--json").out)["result"]["body"]["list"][-1] == 499
    shop.answer = answering(b"\x1b]0;title\x07 no JSON")
    assert not re.search("[\x07\x1b]", call(project, *words).out)


def test_another_folder_is_named_by_project(
    project: Path, shop: Shop, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Definitions and `.env` are those of --project."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    result = call(elsewhere, "source:crm.customer", "--with", "id=1", "--project", str(project))
    assert result.code == ExitCode.OK
    assert shop.received[0][2]["authorization"] == f"Bearer {TOKEN}"
    assert call(elsewhere, "x").code == ExitCode.PROBLEMS
    assert call(elsewhere, "x", "--project", "nowhere").code == ExitCode.USAGE


FUNCTIONS = """\
from sojourn import action, source


@action.defn(name="stock.reserve")
async def reserve(sku: str, amount: int = 1) -> dict:
    if amount > 5:
        raise action.Failed("nothing left", "no_stock")
    return {"sku": sku, "amount": amount}


@source.defn(name="stock.level")
def level(sku: str) -> int:
    return 7
"""


def test_a_python_function_is_called_like_any_other_endpoint(project: Path, shop: Shop) -> None:
    """Its parameters are checked, its answer is what a step gets, and its own error is the error."""
    (project / "stock.py").write_text(FUNCTIONS)
    result = call(project, "stock.level", "--with", "sku=a", "--json")
    assert result.code == ExitCode.OK, result.err
    told = json.loads(result.out)
    assert (told["result"]["body"], told["request"], told["sent"]) == (7, None, True)
    reserve = ["stock.reserve", "--with", "sku=a"]
    assert "write --yes to send it" in call(project, *reserve).err
    result = call(project, *reserve, "--with", "amount=2", "--yes")
    assert result.code == ExitCode.OK
    assert "action:stock.reserve   stock:reserve" in result.out
    steps = result.out.partition("steps.<id> would be:\n")[2]
    assert json.loads(steps)["body"] == {"sku": "a", "amount": 2}
    result = call(project, *reserve, "--with", "amount=6", "--yes")
    assert (result.code, '"code": "no_stock"' in result.out) == (ExitCode.PROBLEMS, True)
    assert call(project, *reserve, "--with", "amount=x", "--yes").code == ExitCode.USAGE
