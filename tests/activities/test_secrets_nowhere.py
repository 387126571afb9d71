"""Every kind of secret is used against a shop that repeats all it is sent; none may be found anywhere afterwards."""

from __future__ import annotations

import asyncio
import json
import shlex
from pathlib import Path
from typing import Any

import httpx
import pytest
from temporalio.client import Client

from sojourn.activities import AddressGuard, CallError, Calls, Secrets, StaticEndpoints, Transport
from sojourn.activities.auth.secrets import Mask
from sojourn.definitions import load_texts
from tests.activities import leaks
from tests.cli.conftest import DevRun, dev_ports
from tests.cli.support import running, until


def reports(url: str) -> Any:
    """The calls of the project, made in this process: what each reports to its journey, by endpoint and mode."""
    loaded = load_texts(leaks.project(url))
    assert loaded.ok, loaded.problems
    secrets = Secrets(leaks.SECRETS, environment=leaks.SECRETS)
    transport = Transport(AddressGuard(["127.0.0.1"]))

    async def make() -> dict[str, bytes]:
        said: dict[str, bytes] = {}
        async with Calls(StaticEndpoints(loaded.endpoints), secrets=secrets, transport=transport) as calls:
            for name in leaks.AUTHS:
                for mode in leaks.MODES:
                    try:
                        result = await calls.call("action", f"shop.{name}", {"mode": mode}, window=10)
                    except CallError as error:
                        result = {
                            "code": error.code,
                            "message": error.message,
                            "body": error.body,
                            "text": repr(error),
                        }
                    said[f"{name} {mode}"] = json.dumps(result).encode()
        return said

    return make()


async def test_no_report_of_a_call_holds_a_secret() -> None:
    """Results and errors hold none, whichever way the secret was sent and the server repeats it."""
    with leaks.shop() as (url, told):
        said = await reports(url)
    assert leaks.leaked(said) == []
    assert b"***" in said["basic echo"]
    assert leaks.unsent(told) == []


async def test_the_search_finds_what_is_not_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    """With masking switched off, the same search finds every secret that reaches an endpoint."""
    monkeypatch.setattr(Mask, "value", lambda _, value: value)
    with leaks.shop() as (url, _):
        found = leaks.leaked(await reports(url))
    login_only = {"OAUTH_ID", "OAUTH_SECRET", "CUSTOM_FORM", "CUSTOM_JSON", "CUSTOM_HEADER"}
    names = {line.split(" ")[0] for line in found}
    assert names == {*leaks.SECRETS, *leaks.TOKENS} - login_only
    assert {line.split(" is in ")[1].split(" ")[0] for line in found} >= set(leaks.AUTHS) - {
        "bad-login",
        "bad-token",
    }


def test_the_search_finds_every_form() -> None:
    """A secret is found in the midst of bytes, however it is encoded."""
    for value in leaks.SECRETS.values():
        for form in leaks.forms(value):
            assert leaks.leaked({"here": b"\x00..." + form + b"...\xff"})


def get_all(api: str) -> dict[str, bytes]:
    """What each GET route answers, with each name of the project in its path; and what POST routes say of the project."""
    with httpx.Client(base_url=api, trust_env=False, timeout=20) as client:
        schema = client.get("/openapi.json")
        said = {"/openapi.json": schema.content}
        values = {
            "name": ["tell", "fail", "shop.basic", "shop.parts", "shop.kept"],
            "version": ["1"],
            "workflow_id": ["tell:ann", "fail:ann"],
            "kind": ["action", "source"],
            "key": ["ann"],
        }
        for path, operations in schema.json()["paths"].items():
            if "get" not in operations:
                continue
            targets = [path]
            for parameter, choices in values.items():
                if "{" + parameter + "}" in path:
                    targets = [
                        target.replace("{" + parameter + "}", choice)
                        for target in targets
                        for choice in choices
                    ]
            for target in targets:
                answer = client.get(target)
                said[target] = answer.content + str(answer.headers).encode()
        for path in ("/", "/metrics", "/docs", "/health/ready"):
            said[path] = client.get(path).content
    return said


def test_problems_repeat_no_secret_that_was_written_into_a_file() -> None:
    """Wherever it was put by mistake: in a URL, a header, a body, in the place of a name or of a kind."""
    found = load_texts(leaks.written_out(leaks.project("http://127.0.0.1:1")))
    assert len(found.errors) > 10
    told = json.dumps([problem.as_dict() for problem in found.problems]) + "\n".join(map(str, found.problems))
    assert leaks.leaked({"problems": told.encode()}) == []


def post_all(api: str, files: dict[str, str]) -> dict[str, bytes]:
    """The answers to what is validated, published and steered: a project that is right, and some that are not."""
    written = leaks.written_out(files)
    assert leaks.leaked({"written": "".join(written.values()).encode()}), (
        "nothing is written into these files"
    )
    broken = {
        path: text.replace("parameters:", "parameter:").replace("end:", "edn:")
        for path, text in files.items()
    }
    said = {}
    with httpx.Client(base_url=api, trust_env=False, timeout=20) as client:
        for name, posted in (("project", files), ("broken", broken), ("written", written)):
            for path in ("/v1/journeys/validate", "/v1/journeys"):
                answer = client.post(path, json={"files": posted})
                assert answer.status_code == (200 if path.endswith("validate") or name == "project" else 422)
                assert name == "project" or answer.json()["problems"]
                said[f"POST {path} {name}"] = answer.content + str(answer.headers).encode()
        for name in leaks.AUTHS:
            path = f"/v1/endpoints/action/shop.{name}/limits"
            limited = client.put(path, json={"cap": {"calls": 5000, "per": "1s"}})
            wrong = client.put(path, json={"cap": {"calls": 0, "per": "1s"}})
            reset = client.delete(path)
            assert [answer.status_code for answer in (limited, wrong, reset)] == [200, 422, 200]
            said[f"limits of {name}"] = limited.content + wrong.content + reset.content
    return said


def stored(folder: Path) -> dict[str, bytes]:
    """The bytes of every file that Sojourn and Temporal wrote: databases with their journals, and logs."""
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and file.name != ".env"
    }


async def histories(address: str) -> dict[str, bytes]:
    """All that Temporal tells of each workflow: its history, as JSON and as it is, and its description."""
    client = await Client.connect(address)
    said = {}
    async for execution in client.list_workflows():
        handle = client.get_workflow_handle(execution.id, run_id=execution.run_id)
        history = await handle.fetch_history()
        description = await handle.describe()
        events = b"".join(event.SerializeToString() for event in history.events)
        said[f"history of {execution.id}"] = events + history.to_json().encode()
        said[f"description of {execution.id}"] = description.raw_description.SerializeToString()
        said[f"state of {execution.id}"] = json.dumps(await handle.query("state")).encode()
    return said


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_secrets_are_nowhere(tmp_path: Path) -> None:
    """None is in histories, answers of the API, logs, databases or output, with every process for real."""
    folder, mounted = tmp_path / "project", tmp_path / "mounted"
    mounted.mkdir()
    for name, value in leaks.FOLDER.items():
        (mounted / name).write_text(value + "\n")
    with leaks.shop() as (url, told):
        for path, text in leaks.project(url).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        (folder / ".env").write_text("".join(f"{n}={shlex.quote(v)}\n" for n, v in leaks.DOTENV.items()))
        env = {
            **leaks.ENVIRONMENT,
            "SOJOURN_SECRETS": ",".join([*leaks.ENVIRONMENT, *leaks.FOLDER]),
            "SOJOURN_SECRETS_FOLDER": str(mounted),
        }
        with running("dev", ".", *dev_ports(), cwd=folder, env=env) as process:
            process.until("Running.", timeout=90)
            dev = DevRun(folder, process)
            said = {"send": dev.sojourn("send", "told", "--data", '{"id": "ann"}')}
            until(lambda: dev.outcome("fail:ann") is not None, 60)
            until(lambda: dev.outcome("tell:ann") is not None, 120)
            assert dev.outcome("tell:ann") == "completed: all sent"
            for line in (
                "validate .",
                "publish",
                "journeys",
                "journeys tell --json",
                "instances",
                "instances tell:ann",
                "instances tell:ann --json",
                "instances fail:ann",
                "endpoints",
                "endpoints --json",
                "endpoints show shop.basic --json",
                "endpoints show shop.parts",
                "endpoints set shop.basic --cap 900/s --json",
                "endpoints reset shop.basic --json",
            ):
                said[line] = dev.sojourn(*line.split(), **env)
            for name in leaks.AUTHS:
                words = ("call", f"shop.{name}", "--with", "mode=echo")
                said[" ".join(words)] = dev.sojourn(*words, **env)
                for more in ("--json", "--dry-run", "--dry-run --json", "--published --json"):
                    line = [*words, *more.split(), *([] if "--dry-run" in more else ["--yes"])]
                    said[" ".join(line)] = dev.sojourn(*line, **env)
            places = {name: (result.out + result.err).encode() for name, result in said.items()}
            places |= get_all(dev.api)
            places |= post_all(dev.api, leaks.project(url))
            places |= asyncio.run(histories(str(dev.state["temporal"])))
            places |= stored(folder)
        places |= {f"{name} after the end": data for name, data in stored(folder).items()}
    assert leaks.unsent(told) == []
    assert len(places) > 60
    assert any(name.endswith("-wal") or ("after" not in name and ".db" in name) for name in places), sorted(
        places
    )
    assert leaks.leaked(places) == []
