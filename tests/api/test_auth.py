"""Who may call: keys with scopes, and this machine while there are none."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import httpx
import pytest
from temporalio.client import Client

from sojourn.api.app import create_app
from sojourn.api.auth import ExposureError, check_exposure, is_loopback
from sojourn.settings import Settings
from sojourn.store import Store
from tests.api.conftest import problem_of, serving

EVENT = {"name": "nobody.listens", "data": {}}
# A proxy on this machine says on whose behalf it asks; uvicorn takes that for the peer.
STRANGER = {"X-Forwarded-For": "203.0.113.9"}


@pytest.fixture
async def guarded(settings: Settings, store: Store, nowhere: Client) -> AsyncIterator[httpx.AsyncClient]:
    """An API that shares its store with the test, so that keys made here count at once."""
    app = create_app(settings, store=store, client=nowhere)
    async with serving(app) as url, httpx.AsyncClient(base_url=url, timeout=20) as client:
        yield client


def bearer(secret: str) -> dict[str, str]:
    """Return the header that carries a key."""
    return {"Authorization": f"Bearer {secret}"}


async def test_without_keys_this_machine_is_served(guarded: httpx.AsyncClient) -> None:
    """No header is asked for, and one that is sent does not matter."""
    assert (await guarded.post("/v1/events", json=EVENT)).status_code == 202
    assert (await guarded.get("/v1/journeys", headers=bearer("sjk_nonsense"))).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        STRANGER,
        {"Host": "evil.example.com"},
        {"Host": "127.0.0.1.evil.example.com:8080"},
        {"Origin": "https://evil.example.com"},
        {"Origin": "null"},
    ],
    ids=["peer", "rebound host", "lookalike host", "origin", "null origin"],
)
async def test_without_keys_others_are_refused(guarded: httpx.AsyncClient, headers: dict[str, str]) -> None:
    """Neither other machines nor other sites' pages in a browser of this machine get in."""
    problem = problem_of(await guarded.post("/v1/events", json=EVENT, headers=headers), "local-only")
    assert "sojourn keys create" in problem["detail"]
    problem_of(await guarded.get("/v1/journeys", headers=headers), "local-only")


async def test_without_keys_names_of_this_machine_are_good(guarded: httpx.AsyncClient) -> None:
    """Localhost in its spellings, and pages of this machine."""
    for headers in ({"Host": "localhost:8080"}, {"Host": "[::1]:80"}, {"Origin": "http://localhost:3000"}):
        assert (await guarded.get("/v1/journeys", headers=headers)).status_code == 200


async def test_with_a_key_a_request_without_one_is_refused(guarded: httpx.AsyncClient, store: Store) -> None:
    """The first key closes the API to all who have none, this machine too; health stays open."""
    created = await store.create_key("shop", ["events"])
    answer = await guarded.post("/v1/events", json=EVENT)
    problem_of(answer, "unauthorized")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    good = await guarded.post("/v1/events", json=EVENT, headers=STRANGER | bearer(created.secret))
    assert good.status_code == 202
    assert (await guarded.get("/health/live", headers=STRANGER)).status_code == 200
    for path in ("/docs", "/openapi.json", "/problems/unauthorized"):
        assert (await guarded.get(path, headers=STRANGER)).status_code == 200


@pytest.mark.parametrize(
    ("authorization", "words"),
    [
        ("Bearer sjk_unknown", "unknown or was revoked"),
        ("Bearer", "not of the form"),
        ("Basic d2s6", "'Basic'"),
        ("sjk_bare", "not of the form"),
    ],
)
async def test_a_bad_key_is_refused(
    guarded: httpx.AsyncClient, store: Store, authorization: str, words: str
) -> None:
    """The answer says what is wrong with the header, and does not repeat the key."""
    await store.create_key("shop", ["events"])
    answer = await guarded.post("/v1/events", json=EVENT, headers={"Authorization": authorization})
    assert words in problem_of(answer, "unauthorized")["detail"]
    assert "invalid_token" in answer.headers["www-authenticate"]
    assert "sjk_unknown" not in answer.text


async def test_a_revoked_key_is_worthless_and_opens_nothing(guarded: httpx.AsyncClient, store: Store) -> None:
    """Revoking the only key must not let everybody in."""
    created = await store.create_key("shop", ["events"])
    assert (await guarded.post("/v1/events", json=EVENT, headers=bearer(created.secret))).status_code == 202
    await store.revoke_key(created.key.id)
    problem_of(await guarded.post("/v1/events", json=EVENT, headers=bearer(created.secret)), "unauthorized")
    problem_of(await guarded.post("/v1/events", json=EVENT), "unauthorized")


OPERATIONS = [
    ("POST", "/v1/events", "events"),
    ("POST", "/v1/journeys", "operate"),
    ("POST", "/v1/journeys/validate", "operate"),
    ("GET", "/v1/journeys", "read"),
    ("GET", "/v1/journeys/x", "read"),
    ("GET", "/v1/journeys/x/versions/1", "read"),
    ("GET", "/v1/journeys/x/versions", "read"),
    ("GET", "/v1/journeys/x/diff", "read"),
    ("GET", "/v1/journeys/x/movable", "read"),
    ("POST", "/v1/journeys/x/move", "operate"),
    *(("POST", f"/v1/journeys/x/{act}", "operate") for act in ("pause", "resume", "close", "stop")),
    *(("POST", f"/v1/journeys/x/{act}", "operate") for act in ("reopen", "publish")),
    ("DELETE", "/v1/journeys/x/draft", "operate"),
    ("GET", "/v1/operations", "read"),
    ("GET", "/v1/operations/1", "read"),
    *(("POST", f"/v1/instances/x:y/{act}", "operate") for act in ("pause", "resume", "exit", "stop")),
    ("GET", "/v1/instances", "read"),
    ("GET", "/v1/instances/x:y", "read"),
    ("GET", "/v1/endpoints", "read"),
    ("GET", "/v1/endpoints/action/x", "read"),
    ("PUT", "/v1/endpoints/action/x/limits", "operate"),
    ("DELETE", "/v1/endpoints/action/x/limits", "operate"),
    ("PUT", "/v1/profiles", "events or operate"),
    ("PATCH", "/v1/profiles", "events or operate"),
    ("POST", "/v1/profiles/read", "read"),
    ("PUT", "/v1/profiles/x", "events or operate"),
    ("PATCH", "/v1/profiles/x", "events or operate"),
    ("GET", "/v1/profiles/x", "read"),
    ("DELETE", "/v1/profiles/x", "operate"),
    ("GET", "/v1/profile-schema", "read or events"),
]


@pytest.mark.parametrize(("method", "path", "scope"), OPERATIONS)
async def test_each_operation_asks_for_its_scope(
    guarded: httpx.AsyncClient, store: Store, method: str, path: str, scope: str
) -> None:
    """A key without the scope gets 403 that names it; one with it passes the gate. `operate` may read."""
    for held in ("events", "operate", "read"):
        key = await store.create_key(held, [held])
        answer = await guarded.request(method, path, headers=bearer(key.secret))
        good = scope.split(" or ")
        if held in good or ("read" in good and held == "operate"):
            assert answer.status_code not in (401, 403)
        else:
            problem = problem_of(answer, "missing-scope")
            assert problem["scope"] == good[0]
            assert held in problem["detail"]
            assert f'scope="{good[0]}"' in answer.headers["www-authenticate"]


async def test_every_operation_is_guarded(guarded: httpx.AsyncClient, store: Store) -> None:
    """An operation that somebody adds without a guard fails here."""
    await store.create_key("shop", ["events"])
    paths = (await guarded.get("/openapi.json")).json()["paths"]
    listed = {(method.upper(), path) for path, operations in paths.items() for method in operations}
    for method, path in listed:
        status = (
            await guarded.request(
                method, path.format(name="x", version=1, number=1, workflow_id="x", kind="action", key="x")
            )
        ).status_code
        assert (status == 401) == path.startswith("/v1/"), f"{method} {path}"
    assert len([path for _, path in listed if path.startswith("/v1/")]) == len(OPERATIONS)


async def test_a_key_is_never_logged(
    guarded: httpx.AsyncClient, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing that the API logs holds a key, also when it fails."""
    caplog.set_level(logging.DEBUG)
    created = await store.create_key("shop", ["read"])
    await guarded.get("/v1/instances", headers=bearer(created.secret))
    ours = [record for record in caplog.records if record.name.startswith(("sojourn", "uvicorn"))]
    assert created.secret not in "".join(record.getMessage() for record in ours)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.9.9.9", "localhost", "::1", "api.localhost", "::ffff:127.0.0.1"]
)
def test_loopback_needs_no_key(host: str) -> None:
    """Listening for this machine is always allowed."""
    check_exposure(Settings(api_host=host), has_keys=False)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "", "10.0.0.7", "example.com", "localhost.example.com", "2130706433"]
)
def test_every_other_address_needs_a_key(host: str) -> None:
    """Whatever is not known to be this machine counts as open to others."""
    with pytest.raises(ExposureError, match="sojourn keys create"):
        check_exposure(Settings(api_host=host), has_keys=False)
    check_exposure(Settings(api_host=host), has_keys=True)
    assert not is_loopback(host)
