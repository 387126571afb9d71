"""Sending files of events: bad lines, refusals, and a server that is away for a while."""

from __future__ import annotations

import io
import itertools
import json
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from sojourn.cli.api_client import ApiClient, ApiRefusedError, ApiUnreachableError
from sojourn.cli.output import ExitCode
from sojourn.cli.send.reader import Batch, read_batches
from sojourn.cli.send.sender import Sender
from tests.cli.support import in_terminal, quickly, running, until
from tests.conftest import free_port


def lines(*values: object) -> io.BytesIO:
    """A file of JSON lines."""
    return io.BytesIO(b"".join(json.dumps(value).encode() + b"\n" for value in values))


def event(number: int) -> dict[str, Any]:
    """An event with an id."""
    return {"id": f"e-{number}", "name": "a.b", "data": {"n": number}}


def result(sent: dict[str, Any], status: str = "accepted", reason: str | None = None) -> dict[str, Any]:
    """The API's answer for an event."""
    refusals = [{"journey": None, "reason": reason, "message": "so it is"}] if reason else []
    return {
        "id": sent["id"],
        "name": sent["name"],
        "status": status,
        "protected": True,
        "instances": [],
        "refusals": refusals,
    }


def serve(server: HTTPServer, *answers: Callable[[list[dict[str, Any]]], Response]) -> list[list[str]]:
    """Have the server answer requests one after the other, the last for ever; return what ids it got."""
    got: list[list[str]] = []

    def handle(request: Request) -> Response:
        events = json.loads(request.data)
        got.append([item["id"] for item in events])
        return answers[min(len(got), len(answers)) - 1](events)

    server.expect_request("/v1/events", method="POST").respond_with_handler(handle)
    return got


def accepted(events: list[dict[str, Any]]) -> Response:
    """202, everything taken."""
    return answer(202, {"results": [result(sent) for sent in events]})


def answer(status: int, body: dict[str, Any], **headers: str) -> Response:
    """An answer with JSON."""
    return Response(json.dumps(body), status, {"Content-Type": "application/json", **headers})


def send_all(
    server: HTTPServer, file: io.BytesIO, *, size: int = 100, patience: float = 10
) -> tuple[Sender, list[float]]:
    """Send a file without waiting for real; return the sender and how long it would have waited."""
    waits: list[float] = []
    with ApiClient(server.url_for("/").rstrip("/")) as api:
        sender = Sender(api, patience=patience, notify=lambda message: None, sleep=waits.append)
        for batch in read_batches(file, size):
            sender.send(batch)
    return sender, waits


def test_lines_become_batches_of_bounded_number_and_size() -> None:
    """Neither more events nor more bytes than asked for, in the order of the file."""
    by_number = list(read_batches(lines(*map(event, range(5))), 2))
    assert [batch.lines for batch in by_number] == [[1, 2], [3, 4], [5]]
    big = {"id": "big", "name": "a.b", "data": "x" * 600}
    by_size = list(read_batches(lines(big, big, big), 100, max_bytes=1400))
    assert [batch.lines for batch in by_size] == [[1, 2], [3]]


def test_bytes_read_reach_the_end_of_the_file() -> None:
    """The progress bar ends at its end."""
    file = lines(event(1), event(2), event(3))
    total = len(file.getvalue())
    read = [batch.bytes_read for batch in read_batches(file, 2)]
    assert read == sorted(read)
    assert read[-1] == total


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"name": "a.b"', "is not JSON: Expecting ',' delimiter at column 15"),
        (b"[1]", "is no JSON object"),
        (b'{"data": {}}', 'has no "name"'),
        (b'{"name": 7}', 'has no "name"'),
        (b'{"name": "a.b", "data": NaN}', "is not JSON: NaN is no JSON number"),
        (b'\xff\xfe{"name": "a.b"}', "is not UTF-8"),
        (b"[" * 100_000, "is not JSON"),
        (b'{"name": "a.b", "data": "' + b"x" * 1_000_000 + b'"}', "is 1,000,027 bytes long"),
    ],
)
def test_bad_line_is_named_and_the_others_are_kept(line: bytes, message: str) -> None:
    """A line that holds no event is reported with its number; those around it are events."""
    file = io.BytesIO(json.dumps(event(1)).encode() + b"\n\n" + line + b"\n" + json.dumps(event(2)).encode())
    batches = list(read_batches(file, 100))
    bad = [found for batch in batches for found in batch.bad]
    assert [found.line for found in bad] == [3]
    assert message in bad[0].message
    assert [sent["id"] for batch in batches for sent in batch.events] == ["e-1", "e-2"]


def test_line_without_id_gets_one_and_is_counted() -> None:
    """Within the run it can be sent again safely; that another run could not, is counted."""
    (batch,) = read_batches(lines({"name": "a.b"}, event(1)), 100)
    assert batch.unprotected == 1
    assert len(batch.events[0]["id"]) == 36


def test_byte_order_mark_is_passed_over() -> None:
    """A file that begins with one, as some programs write it, is read."""
    (batch,) = read_batches(io.BytesIO(b"\xef\xbb\xbf" + json.dumps(event(1)).encode()), 10)
    assert batch.events == [event(1)]


def test_unavailable_batch_is_sent_again_after_the_time_named(httpserver: HTTPServer) -> None:
    """503 with Retry-After: waited for, then only those without an answer are sent again."""

    def half(events: list[dict[str, Any]]) -> Response:
        results = [result(sent, "accepted" if sent["id"] == "e-1" else "unavailable") for sent in events]
        return answer(
            503, {"title": "away", "detail": "Temporal is away", "results": results}, **{"Retry-After": "4"}
        )

    got = serve(httpserver, half, accepted)
    sender, waits = send_all(httpserver, lines(event(1), event(2)))
    assert got == [["e-1", "e-2"], ["e-2"]]
    assert waits == [4]
    assert sender.tally.statuses == {"accepted": 2}


def test_unavailable_for_good_ends_with_what_the_api_said(httpserver: HTTPServer) -> None:
    """When the patience is over, the error is that of the API, with status 3."""

    def away(events: list[dict[str, Any]]) -> Response:
        return answer(503, {"title": "away", "detail": "Temporal is away"}, **{"Retry-After": "7"})

    got = serve(httpserver, away)
    with pytest.raises(ApiRefusedError, match="Temporal is away") as error:
        send_all(httpserver, lines(event(1)), patience=5)
    assert error.value.code == ExitCode.UNREACHABLE
    assert len(got) == 1


def test_too_large_batch_is_halved(httpserver: HTTPServer) -> None:
    """413: the same events in smaller requests, each once."""

    def small(events: list[dict[str, Any]]) -> Response:
        return answer(413, {"title": "too large"}) if len(events) > 2 else accepted(events)

    got = serve(httpserver, small)
    sender, _ = send_all(httpserver, lines(*map(event, range(5))))
    assert sorted(itertools.chain(*(ids for ids in got if len(ids) <= 2))) == [f"e-{n}" for n in range(5)]
    assert sender.tally.sent == 5


def test_single_event_that_is_too_large_is_an_error(httpserver: HTTPServer) -> None:
    """What cannot be halved is refused as the API refuses it."""
    serve(httpserver, lambda events: answer(413, {"title": "too large"}))
    with pytest.raises(ApiRefusedError, match="too large"):
        send_all(httpserver, lines(event(1)))


def test_answer_that_is_not_ours_is_explained(httpserver: HTTPServer) -> None:
    """Another web server on that port: the URL is doubted, not the file."""
    httpserver.expect_request("/v1/events").respond_with_data("<html>hello</html>", content_type="text/html")
    with pytest.raises(ApiRefusedError, match="not as Sojourn's API does: is the URL right"):
        send_all(httpserver, lines(event(1)))


def test_nobody_there_is_said_at_once() -> None:
    """Before anything was sent, nobody waits for an API that was never started."""
    with ApiClient(f"http://127.0.0.1:{free_port()}") as api:
        sender = Sender(api, patience=60, notify=lambda message: None, sleep=lambda seconds: None)
        with pytest.raises(ApiUnreachableError, match="nothing answers"):
            sender.send(Batch(events=[event(1)], lines=[1]))


def test_key_is_sent_and_its_lack_explained(httpserver: HTTPServer) -> None:
    """401 names the option and the variable."""
    problem = json.dumps({"title": "A key is needed", "detail": "The request carries no API key."})
    httpserver.expect_request("/v1/journeys", headers={"Authorization": "Bearer sjk_x"}).respond_with_json(
        {"journeys": []}
    )
    httpserver.expect_request("/v1/journeys").respond_with_data(problem, 401, content_type="application/json")
    url = httpserver.url_for("/")
    with ApiClient(url.rstrip("/"), "sjk_x") as api:
        assert api.get("/v1/journeys") == {"journeys": []}
    with ApiClient(url.rstrip("/")) as api, pytest.raises(ApiRefusedError, match="--key or SOJOURN_API_KEY"):
        api.get("/v1/journeys")


def test_proxy_of_the_environment_is_not_used_for_this_machine(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HTTP_PROXY is for the world outside."""
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    httpserver.expect_request("/v1/journeys").respond_with_json({"journeys": []})
    with ApiClient(httpserver.url_for("/").rstrip("/")) as api:
        assert api.get("/v1/journeys") == {"journeys": []}


def test_send_says_what_is_wrong_line_by_line(httpserver: HTTPServer, tmp_path: Path) -> None:
    """The good lines go through; the bad and the refused ones are named; the status is 1."""

    def some(events: list[dict[str, Any]]) -> Response:
        refused = {"e-2": "invalid", "e-3": "no_journey"}
        results = [
            result(sent, "refused" if sent["id"] in refused else "accepted", refused.get(sent["id"]))
            for sent in events
        ]
        return answer(202, {"results": results})

    serve(httpserver, some)
    file = tmp_path / "events.jsonl"
    file.write_text("\n".join([*(json.dumps(event(n)) for n in (1, 2, 3)), "nonsense", '{"name": "a.b"}']))
    env = {"SOJOURN_API": httpserver.url_for("/")}
    said = quickly("send", "--file", file, cwd=tmp_path, env=env)
    assert said.code == ExitCode.PROBLEMS
    assert "4 events sent: 2 accepted, 0 duplicate, 2 refused" in said.out
    assert "no_journey: 1" in said.out
    assert "line 2: invalid: so it is" in said.err
    assert "line 4: is not JSON" in said.err
    assert "line 3" not in said.err
    assert "some events have no id" in said.err
    as_json = json.loads(quickly("send", "--file", file, "--json", cwd=tmp_path, env=env).out)
    assert as_json["bad_lines"] == [{"line": 4, "message": "is not JSON: Expecting value at column 1"}]
    assert (as_json["accepted"], as_json["refused"], as_json["unprotected"]) == (2, 2, 1)


def test_events_without_effect_are_no_failure(httpserver: HTTPServer, tmp_path: Path) -> None:
    """A file with events for which nobody waits ends with status 0; standard input is a file too."""
    serve(
        httpserver,
        lambda events: answer(202, {"results": [result(sent, "refused", "no_journey") for sent in events]}),
    )
    env = {"SOJOURN_API": httpserver.url_for("/")}
    said = quickly("send", "--file", "-", cwd=tmp_path, env=env, stdin=json.dumps(event(1)))
    assert said.code == ExitCode.OK
    assert "1 events sent: 0 accepted" in said.out


def test_stop_in_the_middle_says_how_to_go_on(httpserver: HTTPServer, tmp_path: Path) -> None:
    """What was sent is counted, and sending again is said to be safe."""
    serve(httpserver, accepted, lambda events: answer(503, {"title": "Temporal is away"}))
    file = tmp_path / "events.jsonl"
    file.write_text("\n".join(json.dumps(event(n)) for n in range(4)))
    env = {"SOJOURN_API": httpserver.url_for("/")}
    said = quickly("send", "--file", file, "--batch", "2", "--patience", "0", cwd=tmp_path, env=env)
    assert said.code == ExitCode.UNREACHABLE
    assert "Stopped after 2 events were answered. Send the same file again to go on" in said.err
    assert "Temporal is away" in said.err


def test_ctrl_c_while_sending_says_how_to_go_on(httpserver: HTTPServer, tmp_path: Path) -> None:
    """Status 130, and what was sent is not lost."""
    interrupted = threading.Event()

    def slow(events: list[dict[str, Any]]) -> Response:
        interrupted.wait(30)
        return accepted(events)

    got = serve(httpserver, accepted, slow)
    file = tmp_path / "events.jsonl"
    file.write_text("\n".join(json.dumps(event(n)) for n in range(40)))
    env = {"SOJOURN_API": httpserver.url_for("/")}
    with running("send", "--file", file, "--batch", "2", cwd=tmp_path, env=env) as sending:
        until(lambda: len(got) >= 2, 20, lambda: sending.said)
        assert sending.end(signal.SIGINT) == ExitCode.INTERRUPTED
        interrupted.set()
        assert "Stopped after 2 events were answered." in sending.said
        assert "Traceback" not in sending.said


def test_terminal_shows_a_progress_bar(httpserver: HTTPServer, tmp_path: Path) -> None:
    """On a terminal the file's name and a percentage are shown while it is sent."""
    serve(httpserver, accepted)
    file = tmp_path / "events.jsonl"
    file.write_text("\n".join(json.dumps(event(n)) for n in range(40)))
    env = {"SOJOURN_API": httpserver.url_for("/"), "TERM": "xterm"}
    shown = in_terminal("send", "--file", str(file), "--batch", "2", cwd=tmp_path, env=env)
    assert "Sending events.jsonl" in shown
    assert "100%" in shown
    assert "40 events sent" in shown
