"""Profiles: what is written is read, writes are judged one by one, and none gets lost."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from sojourn.contract.profile_keys import MAX_KEY
from sojourn.definitions import load_texts
from sojourn.store import Store
from sojourn.store.profiles.checks import MAX_DEPTH, MAX_SIZE, merged
from sojourn.store.profiles.profiles import THERE, ProfileRefused, Write
from sojourn.store.tables import profile_writes
from tests.store.databases import OpenStore

ODD_KEYS = [
    "cust-1",
    "zoë/ключ #1?x=%2F",
    "a\x00b",
    " padded ",
    "客户 💥\n",
    "..",
    "~0123456789abcdef0123456789abcdef01234567",
    "k" * MAX_KEY,
    "\ud800",
]

SCHEMA = """
profile: customer
schema:
  type: object
  required: [email]
  additionalProperties: false
  properties:
    email: {type: string, format: email}
    plan: {enum: [free, gold]}
    visits: {type: integer, minimum: 0}
    address: {type: object, properties: {city: {type: string}}, additionalProperties: false}
"""


async def _publish(store: Store, text: str) -> None:
    project = load_texts({"profile.yaml": text})
    assert project.ok, project.problems
    await store.publish(project)


async def test_odd_keys_and_values_come_back(store: Store) -> None:
    """Whatever a key or an attribute holds, each profile is its own and reads as it was written."""
    values = {"n": [1, 1.0, 2**70, -0.5, True, None], "text": "\x00 ü 💥 \\ \" '", "": {"deep": [{}]}}
    items = [Write(key, {**values, "at": index}) for index, key in enumerate(ODD_KEYS)]
    assert [result.status for result in await store.profiles.put(items)] == ["created"] * len(ODD_KEYS)
    found = await store.profiles.read([*ODD_KEYS, "unknown"])
    assert [profile and profile.key for profile in found] == [*ODD_KEYS, None]
    assert [repr(profile.attributes) for profile in found if profile] == [repr(i.attributes) for i in items]
    assert await store.profiles.get("unknown") is None


@pytest.mark.parametrize("key", [None, "", "  ", True, [1], {"a": 1}, float("nan"), "k" * (MAX_KEY + 1)])
async def test_bad_keys_are_refused(store: Store, key: Any) -> None:
    """What routing takes for no key is none here, and the rest of the batch is written."""
    bad, good = await store.profiles.patch([Write(key, {"a": 1}), Write("good", {"a": 1})])
    assert bad.status == "refused"
    assert bad.violations[0].path == "/key"
    assert good.status == "created"


async def test_numbers_are_keys_as_in_routing(store: Store) -> None:
    """42, 42.0 and "42" are the same profile."""
    results = await store.profiles.patch([Write(42, {"a": 1}), Write(42.0, {"b": 2}), Write("42", {"c": 3})])
    assert [result.status for result in results] == ["created", "updated", "updated"]
    assert await store.profiles.get("42") == {"a": 1, "b": 2, "c": 3}


# The cases of RFC 7396, appendix A, whose target and patch are objects.
@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ('{"a":"b"}', '{"a":"c"}', '{"a":"c"}'),
        ('{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'),
        ('{"a":"b"}', '{"a":null}', "{}"),
        ('{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'),
        ('{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'),
        ('{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'),
        ('{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'),
        ('{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'),
        ('{"e":null}', '{"a":1}', '{"e":null,"a":1}'),
        ("[1,2]", '{"a":"b","c":null}', '{"a":"b"}'),
        ("{}", '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'),
    ],
)
def test_merge_patch(target: str, patch: str, result: str) -> None:
    """Partial updates are merge patches as RFC 7396 has them."""
    before = json.loads(target)
    assert merged(before, json.loads(patch)) == json.loads(result)
    assert before == json.loads(target)


async def test_statuses_and_versions(store: Store) -> None:
    """The version grows with what changes something; put replaces, patch merges, the order of items counts."""
    results = await store.profiles.patch(
        [Write("a", {"x": 1, "y": 1}), Write("a", {"y": None}), Write("a", {"x": 1}), Write("a", {"x": True})]
    )
    assert [(result.status, result.version) for result in results] == [
        ("created", 1),
        ("updated", 2),
        ("unchanged", 2),
        ("updated", 3),
    ]
    (put,) = await store.profiles.put([Write("a", {"z": None})])
    assert (put.status, put.version, put.attributes) == ("updated", 4, {"z": None})


async def test_expected_versions(store: Store) -> None:
    """A write that expects another version is a conflict and changes nothing; 0 means: not there yet."""
    patch = store.profiles.patch
    assert [r.status for r in await patch([Write("a", {"x": 1}, 1), Write("b", {"x": 1}, 0)])] == [
        "conflict",
        "created",
    ]
    (conflict,) = await patch([Write("b", {"x": 2}, 0)])
    assert (conflict.status, conflict.version) == ("conflict", 1)
    assert [r.status for r in await patch([Write("b", {"x": 2}, 1)])] == ["updated"]
    assert [r.status for r in await patch([Write("b", {"x": 3}, THERE), Write("c", {}, THERE)])] == [
        "updated",
        "conflict",
    ]
    assert await store.profiles.erase_one("b", 1) == (False, 3)
    assert await store.profiles.erase_one("c", THERE) == (False, None)
    assert await store.profiles.get("b") == {"x": 3}
    assert await store.profiles.erase_one("b", 3) == (True, 3)


@pytest.mark.parametrize(
    ("attributes", "says"),
    [
        ([1], "is a list; write the attributes as an object"),
        (None, "is null"),
        ({"a": float("inf")}, "too large for a double"),
        ({"a": {"b": [float("nan")]}}, "too large for a double"),
        ({"a": 10**400}, "too large for a double"),
        ({"a": "x" * MAX_SIZE}, "bytes"),
    ],
)
async def test_unfit_attributes_are_refused(store: Store, attributes: Any, says: str) -> None:
    """What no profile can keep is refused with what to write instead, and the others are written."""
    bad, good = await store.profiles.put([Write("bad", attributes), Write("good", {})])
    assert bad.status == "refused"
    assert says in bad.violations[0].message
    assert good.status == "created"


async def test_depth_and_size_are_bounded_over_several_writes(store: Store) -> None:
    """Nesting is bounded, and so is what patches add up to."""
    deep: Any = 1
    for _ in range(MAX_DEPTH):
        deep = {"a": deep}
    fits, too_deep = await store.profiles.put([Write("deep", deep), Write("deeper", {"a": deep})])
    assert (fits.status, too_deep.status) == ("created", "refused")
    half = "x" * (MAX_SIZE // 2)
    first, second, third = await store.profiles.patch(
        [Write("big", {"a": half}), Write("big", {"b": half}), Write("big", {"a": "", "b": half})]
    )
    assert [first.status, second.status, third.status] == ["created", "refused", "updated"]
    assert f"at most {MAX_SIZE:,}" in second.violations[0].message


async def test_schema_is_checked_on_the_result(store: Store) -> None:
    """With a schema each write is judged by the whole profile after it, and the answer names the field."""
    await _publish(store, SCHEMA)
    results = await store.profiles.patch(
        [
            Write("a", {"plan": "gold"}),
            Write("b", {"email": "b@example.com"}),
            Write("b", {"plan": "silver"}),
            Write("b", {"visits": "3", "emial": 1, "address": {"city": 5, "zip/code": 1}}),
            Write("b", {"email": None}),
            Write("b", {"email": "no address"}),
            Write("b", {"plan": "gold", "visits": 3}),
        ]
    )
    assert [result.status for result in results] == [
        "refused",
        "created",
        "refused",
        "refused",
        "refused",
        "refused",
        "updated",
    ]
    said = [{v.path: v.message for v in result.violations} for result in results]
    assert said[0] == {"/email": "is missing; the profile's schema requires it"}
    assert 'write one of "free", "gold"' in said[2]["/plan"]
    assert said[3]["/visits"] == "is a text; write a whole number"
    assert said[3]["/address/city"] == "is a number; write a text"
    assert {"/emial", "/address/zip~1code"} <= said[3].keys()
    assert said[4] == said[0]
    assert "format email" in said[5]["/email"]
    assert await store.profiles.get("b") == {"email": "b@example.com", "plan": "gold", "visits": 3}
    with pytest.raises(ProfileRefused, match="/plan is none of the values") as refused:
        await store.profiles.update("b", {"plan": "secret-value"}, "op")
    assert "secret-value" not in str(refused.value)


async def test_publishing_the_schema(open_store: OpenStore) -> None:
    """The schema is published once, seen by other processes, replaced by a new one, and kept by other projects."""
    one, other = await open_store(catalog_refresh=0.01), await open_store(catalog_refresh=0.01)
    assert (await one.catalog()).profile_schema is None
    project = load_texts({"profile.yaml": SCHEMA})
    assert (await one.publish(project)).profile_changed
    assert not (await other.publish(project)).changed
    await other.publish(load_texts({"e.yaml": "event: e\nkey: event.id\n"}))
    assert ((await other.catalog()).profile_schema or {})["required"] == ["email"]
    await asyncio.sleep(0.02)
    assert [r.status for r in await other.profiles.put([Write("a", {})])] == ["refused"]
    assert (await one.publish(load_texts({"profile.yaml": "profile: anything\n"}))).profile_changed
    assert [r.status for r in await one.profiles.put([Write("a", {})])] == ["created"]


async def test_update_is_made_once(open_store: OpenStore) -> None:
    """An update asked for again, here or by another process, changes nothing and returns what is there."""
    one, other = await open_store(), await open_store()
    assert await one.profiles.update("a", {"x": 1}, "op-1") == {"x": 1}
    await one.profiles.patch([Write("a", {"x": 2})])
    assert await other.profiles.update("a", {"x": 1}, "op-1") == {"x": 2}
    many = [store.profiles.update("b", {"n": n}, "op-2") for n in range(20) for store in (one, other)]
    results = await asyncio.gather(*many)
    assert all(result == results[0] for result in results)
    profile = (await one.profiles.read(["b"]))[0]
    assert profile is not None
    assert profile.version == 1


async def test_refused_update_may_be_made_later(store: Store) -> None:
    """An update that was refused did not happen: asked again when it fits, it is made."""
    await _publish(store, SCHEMA)
    with pytest.raises(ProfileRefused):
        await store.profiles.update("a", {"plan": "gold"}, "op")
    await store.profiles.put([Write("a", {"email": "a@example.com"})])
    assert (await store.profiles.update("a", {"plan": "gold"}, "op"))["plan"] == "gold"


async def test_refusals_spoil_nothing_for_others(store: Store) -> None:
    """Updates that are asked for at the same moment are judged each for itself."""
    await _publish(store, SCHEMA)
    await store.profiles.put([Write("a", {"email": "a@example.com"})])
    changes: list[dict[str, Any]] = [{"visits": n if n % 2 else "x"} for n in range(20)]
    results = await asyncio.gather(
        *(store.profiles.update("a", change, f"op-{n}") for n, change in enumerate(changes)),
        return_exceptions=True,
    )
    assert [isinstance(result, ProfileRefused) for result in results] == [n % 2 == 0 for n in range(20)]


async def test_erase_and_start_anew(store: Store) -> None:
    """Erasing leaves nothing behind, and says which profiles there were; the same key may be used again."""
    await store.profiles.put([Write("a", {"x": 1}), Write("b", {"x": 1})])
    assert await store.profiles.erase(["a", "unknown", "a"]) == [True, False, True]
    assert await store.profiles.read(["a"]) == [None]
    assert await store.profiles.get("b") == {"x": 1}
    (again,) = await store.profiles.patch([Write("a", {"y": 1})])
    assert (again.status, again.version, again.attributes) == ("created", 1, {"y": 1})


async def test_purge_forgets_old_operations_only(store: Store) -> None:
    """Operations are forgotten by age."""
    await store.profiles.update("a", {"x": 1}, "op")
    assert await store.profiles.purge(datetime.now(UTC) - timedelta(days=1)) == 0
    assert await store.profiles.purge(datetime.now(UTC) + timedelta(seconds=1)) == 1
    count = select(func.count()).select_from(profile_writes)
    assert await store.database.read(lambda connection: connection.scalar(count)) == 0


async def test_a_batch_takes_few_statements(store: Store) -> None:
    """A thousand profiles are written in a handful of statements, new or known, not in one each."""
    from sqlalchemy import event

    statements: list[str] = []

    @event.listens_for(store.database.engine, "before_cursor_execute")
    def _count(_c: Any, _cursor: Any, statement: str, _p: Any, _x: Any, _many: bool) -> None:
        statements.append(statement)

    items = [Write(f"k{n}", {"n": n}) for n in range(1000)]
    await store.catalog()
    for put in (items, [Write(item.key, {"n": -1}) for item in items]):
        statements.clear()
        assert len(await store.profiles.put(put)) == 1000
        assert len(statements) <= 6, statements


WRITER = """
import asyncio, sys
from sojourn.store import Store
from sojourn.store.profiles.profiles import Write

async def main(url, name, rounds):
    store = await Store.open(url)
    for n in range(rounds):
        keys = [f"k{(n + i) % 5}" for i in range(3)]
        keys = keys if name in "ac" else keys[::-1]
        await store.profiles.patch([Write(key, {"count": {name: n}, f"{name}{n}": 1}) for key in keys])
        await store.profiles.update("shared", {f"{name}{n}": n}, f"{name}-{n}")
    await store.close()

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


async def test_processes_lose_nothing(open_store: OpenStore, database_url: str) -> None:
    """Four processes patch different attributes of the same new profiles in batches: every one is there."""
    store, rounds = await open_store(), 25
    writers = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", WRITER, database_url, name, str(rounds), stderr=subprocess.PIPE
        )
        for name in "abcd"
    ]
    for writer in writers:
        _, errors = await writer.communicate()
        assert writer.returncode == 0, errors.decode()
    shared = await store.profiles.get("shared")
    assert shared == {f"{name}{n}": n for name in "abcd" for n in range(rounds)}
    for k in range(5):
        written = {n for n in range(rounds) for i in range(3) if (n + i) % 5 == k}
        found = await store.profiles.get(f"k{k}")
        assert found is not None
        assert found.pop("count") == dict.fromkeys("abcd", max(written))
        assert found.keys() == {f"{name}{n}" for name in "abcd" for n in written}


async def test_first_writes_at_once_lose_nothing(open_store: OpenStore) -> None:
    """Connections that write a profile at the same moment for the first time all have their part in it."""
    stores = [await open_store() for _ in range(4)]
    for round_ in range(10):
        await asyncio.gather(
            *(s.profiles.patch([Write(f"new-{round_}", {str(n): n})]) for n, s in enumerate(stores))
        )
        assert await stores[0].profiles.get(f"new-{round_}") == {str(n): n for n in range(4)}


async def test_erasing_meanwhile(open_store: OpenStore) -> None:
    """Writers and erasers at the same moment neither wait for each other for ever nor fail."""
    one, other = await open_store(), await open_store()
    keys = [f"k{n}" for n in range(20)]

    async def write() -> None:
        for n in range(20):
            results = await one.profiles.patch([Write(key, {f"a{n}": n}) for key in keys])
            assert {result.status for result in results} <= {"created", "updated"}

    async def erase() -> None:
        for _ in range(20):
            await other.profiles.erase(keys[::-1])

    await asyncio.gather(write(), erase())
