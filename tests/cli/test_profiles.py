"""`sojourn profiles`: files of profiles go in, what is wrong is told by line, and one profile is looked after."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from sojourn.cli.output import ExitCode
from tests.cli.support import Result, quickly, running
from tests.conftest import free_port

SCHEMA = """
profile: customer
schema:
  type: object
  properties:
    zip: {type: string}
    visits: {type: integer}
    optIn: {type: boolean}
    tags: {type: array, items: {$ref: "#/$defs/tag"}}
    note: {type: [string, "null"]}
  $defs: {tag: {type: string}}
"""


class Shell:
    """Commands that talk to one API."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url

    def __call__(self, *args: str, stdin: str | None = None) -> Result:
        """Run `sojourn profiles …`."""
        return quickly("profiles", *args, cwd=self.folder, env={"SOJOURN_API": self.url}, stdin=stdin)

    def json(self, *args: str, stdin: str | None = None) -> Any:
        """Run it with --json."""
        result = self(*args, "--json", stdin=stdin)
        assert result.code in (0, 1), result.err
        return json.loads(result.out)

    def attributes(self, key: str) -> Any:
        """The attributes of a profile."""
        return self.json("show", key)["attributes"]

    def file(self, name: str, text: str | bytes) -> str:
        """Write a file."""
        (self.folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
        return name


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real API process with a database of its own, without Temporal."""
    folder, port = tmp_path_factory.mktemp("api"), str(free_port())
    env = {"SOJOURN_DATABASE": f"sqlite:///{folder}/profiles.db", "TEMPORAL_ADDRESS": "127.0.0.1:9"}
    with running("api", "--port", port, cwd=folder, env=env) as process:
        process.until("listens on")
        url = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=url, trust_env=False, transport=httpx.HTTPTransport(retries=5)) as client:
            files = {"files": {"profile.yaml": SCHEMA}}
            assert client.post("/v1/journeys", json=files).raise_for_status().json()["profile"] == "customer"
        yield url


@pytest.fixture
def shell(api: str, tmp_path: Path) -> Shell:
    """Commands in a folder of the test's own."""
    return Shell(tmp_path, api)


def test_json_lines(shell: Shell) -> None:
    """Profiles are merged; the same file again changes nothing; --replace leaves nothing of before."""
    lines = [{"key": "j1", "attributes": {"a": 1, "b": {"c": 1}}}, {"key": 7, "attributes": {"a": "ü"}}]
    file = shell.file(
        "p.jsonl", "\ufeff" + "\n\n".join(json.dumps(line, ensure_ascii=False) for line in lines)
    )
    assert shell("import", file).out == "2 profiles: 2 created, 0 updated, 0 unchanged, 0 refused.\n"
    assert shell.json("import", file)["unchanged"] == 2
    assert shell.attributes("7") == {"a": "ü"}
    more = json.dumps({"key": "j1", "attributes": {"a": None, "b": {"d": 2}}})
    assert shell.json("import", "-", stdin=more)["updated"] == 1
    assert shell.attributes("j1") == {"b": {"c": 1, "d": 2}}
    assert shell.json("import", "-", "--replace", stdin=more)["updated"] == 1
    assert shell.attributes("j1") == {"a": None, "b": {"d": 2}}


def test_flat_json_lines(shell: Shell) -> None:
    """With --key-field any export of objects will do: the key is taken out, the rest are attributes."""
    text = '{"customerId": "f1", "zip": "01234"}\n{"zip": "1"}\n{"customerId": 5, "visits": 2}\n'
    result = shell.json("import", "-", "--key-field", "customerId", stdin=text)
    assert (result["created"], result["bad_lines"]) == (
        2,
        [{"line": 2, "message": "has no 'customerId', which --key-field says is the profile key"}],
    )
    assert (shell.attributes("f1"), shell.attributes("5")) == ({"zip": "01234"}, {"visits": 2})


def test_csv_is_read_as_the_schema_says(shell: Shell) -> None:
    """Cells have the types of the published schema, texts stay texts, and empty cells change nothing."""
    rows = 'id,zip,visits,optIn,tags,note,other\nc1,01234,3,TRUE,"[""a"",""b""]",null,42\n"c,2",,,false,,"two\nlines",\n'
    file = shell.file("people.CSV", rows)
    assert shell.json("import", file, "--key-field", "id")["created"] == 2
    assert shell.attributes("c1") == {
        "zip": "01234",
        "visits": 3,
        "optIn": True,
        "tags": ["a", "b"],
        "note": "null",
        "other": "42",
    }
    assert shell.attributes("c,2") == {"optIn": False, "note": "two\nlines"}
    again = shell.json("import", file, "--key-field", "id", "--infer", "--types", "zip=text, note = json")
    assert (again["updated"], [bad["line"] for bad in again["bad_lines"]]) == (1, [3])
    assert shell.attributes("c1") == {
        "zip": "01234",
        "visits": 3,
        "optIn": True,
        "tags": ["a", "b"],
        "other": 42,
    }


def test_bad_lines_are_told_and_the_others_written(shell: Shell) -> None:
    """Every line that is wrong is named with its number and what is wrong; exit status 1."""
    lines = [
        b'{"key": "ok-1", "attributes": {}}',
        b'{"key": "x", "attributes": {"visits": "3"}}',
        b"{not json",
        b'["list"]',
        b'{"attributes": {}}',
        b'{"key": "x", "attributes": {"a": NaN}}',
        b'{"key": "x", "attributes": {"a": 1e999}}',
        b'{"key": "x", "attributes": {"a": "\xff"}}',
        b'{"key": "x", "attributes": {"a": "\\ud800"}}',
        b'{"key": "", "attributes": {}}',
        b'{"key": "x", "attributes": [1], "extra": 1}',
        b'{"key": "ok-2", "attributes": {}}',
    ]
    file = shell.file("bad.jsonl", b"\n".join(lines))
    found = shell.json("import", file, "--batch", "2")
    assert (found["created"], found["refused"]) == (2, 3)
    assert [bad["line"] for bad in found["bad_lines"]] == [3, 4, 5, 6, 7, 8, 9]
    assert [refusal["line"] for refusal in found["refusals"]] == [2, 10, 11]
    result = shell("import", file)
    assert result.code == ExitCode.PROBLEMS
    assert "line 2: /attributes/visits: is a text; write a whole number" in result.err
    assert "line 8: is not UTF-8" in result.err
    assert "line 7: is not JSON: a number is too large for a double" in result.err
    assert len(result.err.splitlines()) == 10


def test_bad_rows_of_csv(shell: Shell) -> None:
    """Rows that do not fit the header or the types are named by the line where they begin."""
    rows = b'id;visits\nr1;1\nr2;"x\ny"\nr3\n;4\nr\xff;5\nr6;6\n'
    found = shell.json(
        "import",
        shell.file("r.csv", rows),
        "--key-field",
        "id",
        "--delimiter",
        ";",
        "--types",
        "visits=integer",
    )
    assert found["created"] == 2
    assert found["bad_lines"] == [
        {"line": 3, "message": "visits is no whole number"},
        {"line": 5, "message": "has 1 cell, and the first line names 2 columns"},
        {"line": 6, "message": "id is empty, and it is the profile key"},
        {"line": 7, "message": "id is not UTF-8"},
    ]


@pytest.mark.parametrize(
    ("args", "text", "says"),
    [
        (["--format", "csv", "--key-field", "id"], "a;id\n", "--delimiter ';'"),
        (["--format", "csv", "--key-field", "id"], "id,a,a\n", "'a' twice"),
        (["--format", "csv", "--key-field", "id"], "", "no column is named 'id'"),
        (["--format", "csv"], "id\n", "--key-field"),
        (["--format", "xml"], "", "csv or jsonl"),
        (
            ["--format", "csv", "--key-field", "id", "--types", "a=int"],
            "id,a\n",
            "the types are text, integer",
        ),
        (["--infer"], "", "is for CSV"),
    ],
)
def test_wrong_usage(shell: Shell, args: list[str], text: str, says: str) -> None:
    """What the command line gets wrong is said before anything is written."""
    result = shell("import", "-", *args, stdin=text)
    assert result.code == ExitCode.USAGE
    assert says in result.err


def test_one_profile(shell: Shell) -> None:
    """A profile is set, shown and erased, whatever its key holds."""
    key = "a/b ü?#"
    made = shell("set", key, "--with", "zip=012", "--with", "visits=3", "--with", '{"x": {"y": 1}}')
    assert made.out == f"created: {key} (version 1)\n"
    assert shell.attributes(key) == {"zip": "012", "visits": 3, "x": {"y": 1}}
    assert "  visits: 3\n" in shell("show", key).out
    assert shell.json("set", key, "--remove", "zip", "--with", '{"x": null}')["status"] == "updated"
    assert shell.attributes(key) == {"visits": 3}
    refused = shell("set", key, "--with", "visits=many")
    assert (refused.code, "/attributes/visits" in refused.err) == (ExitCode.PROBLEMS, True)
    assert shell("set", key).code == ExitCode.USAGE
    assert shell("erase", key, stdin="n\n").code == 1
    assert shell.attributes(key) == {"visits": 3}
    assert shell("erase", key, "--yes").out == f"erased: {key}\n"
    assert shell("erase", key, "--yes").out == f"There was no profile {key}.\n"
    missing = shell("show", key)
    assert (missing.code, "No profile has the key" in missing.err) == (ExitCode.PROBLEMS, True)


def test_an_import_waits_for_an_api_that_is_away(tmp_path: Path, httpserver: HTTPServer) -> None:
    """A batch is sent again while the database is away, and split where it is too large."""
    sizes: list[int] = []

    def handle(request: Request) -> Response:
        items = json.loads(request.data)
        sizes.append(len(items))
        if len(sizes) == 2:
            problem = {"type": "/problems/unavailable", "detail": "The database cannot be reached."}
            return Response(json.dumps(problem), 503, {"Retry-After": "0"})
        if len(items) > 2:
            return Response(json.dumps({"type": "/problems/too-large", "detail": "Too large."}), 413)
        results = [{"key": item["key"], "status": "created", "version": 1} for item in items]
        return Response(json.dumps({"results": results}), 200)

    httpserver.expect_request("/v1/profiles", method="PATCH").respond_with_handler(handle)
    shell = Shell(tmp_path, httpserver.url_for("").rstrip("/"))
    lines = "".join(f'{{"key": "k{n}", "attributes": {{}}}}\n' for n in range(4))
    result = shell("import", "-", stdin=lines)
    assert (result.code, sizes) == (0, [4, 2, 2, 2]), result.err
    assert "Trying again" in result.err
