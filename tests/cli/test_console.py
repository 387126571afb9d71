"""`sojourn console`: links to views of Temporal's Web UI."""

from __future__ import annotations

import asyncio
import json
import uuid
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from temporalio.client import Client
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from sojourn.cli import web_ui_links
from sojourn.contract import names
from tests.cli.support import sojourn
from tests.conftest import free_port


def query_of(url: str) -> dict[str, list[str]]:
    """Return the parameters of a link, as a browser reads them."""
    return parse_qs(urlsplit(url).query, strict_parsing=True)


def test_links_are_for_the_web_ui_in_use(tmp_path: Path) -> None:
    """`--ui`, then the variable, then Temporal Cloud's by the address of Temporal, then the local one."""
    api = {"SOJOURN_API": f"http://127.0.0.1:{free_port()}"}
    cloud = {"TEMPORAL_ADDRESS": "acme.a1b2.tmprl.cloud:7233", "TEMPORAL_NAMESPACE": "acme.a1b2"}
    for arguments, env, start in (
        (
            ["--ui", "https://ui.example.com/temporal/"],
            {"SOJOURN_UI": "http://x"},
            "https://ui.example.com/temporal/",
        ),
        ([], {"SOJOURN_UI": "http://127.0.0.1:9"}, "http://127.0.0.1:9/"),
        ([], cloud, "https://cloud.temporal.io/namespaces/acme.a1b2/workflows?"),
        ([], {}, "http://127.0.0.1:8233/namespaces/default/workflows?"),
    ):
        done = sojourn("console", "--json", *arguments, cwd=tmp_path, env=api | env)
        assert done.code == 0, done.err
        assert all(view["url"].startswith(start) for view in json.loads(done.out)["views"])
        assert "not known" in done.err, "without the API there is less to link to, and that is said"


def test_a_link_names_its_view_and_holds_any_key(tmp_path: Path) -> None:
    """The Web UI keeps the view under its name; keys of any text come through, or as their hash."""
    env = {"SOJOURN_API": f"http://127.0.0.1:{free_port()}"}
    done = sojourn("console", "cart", "--profile", "c+1@x", cwd=tmp_path, env=env)
    links = [line.strip() for line in done.out.splitlines() if "http" in line][1:]
    last = query_of(links[-1])
    assert last["savedQuery"] == ["Profile c+1@x"]
    assert last["query"][0].startswith('JourneyProfile = "c+1@x" AND (')
    assert any(query_of(link)["savedQuery"] == ["cart: failed"] for link in links)
    (view,) = web_ui_links.of_profile('a" OR "b', private=False)
    assert view.query.startswith('JourneyProfile = "~')


def test_an_address_that_is_none_is_refused(tmp_path: Path) -> None:
    """With what to write instead."""
    done = sojourn("console", "--ui", "localhost:8233", cwd=tmp_path)
    assert done.code == 2
    assert "write it like http://127.0.0.1:8233" in done.err


async def test_each_view_finds_its_instances(client: Client) -> None:
    """Temporal understands every query, and finds what the view's name says."""
    journey, profile = f"j-{uuid.uuid4().hex[:8]}", uuid.uuid4().hex
    attributes = [
        SearchAttributePair(SearchAttributeKey.for_keyword(names.SEARCH_JOURNEY), journey),
        SearchAttributePair(SearchAttributeKey.for_int(names.SEARCH_VERSION), 2),
        SearchAttributePair(SearchAttributeKey.for_keyword(names.SEARCH_PROFILE), profile),
        SearchAttributePair(SearchAttributeKey.for_keyword(names.SEARCH_STEP), "listen"),
    ]
    handle = await client.start_workflow(
        names.WORKFLOW_JOURNEY,
        id=f"{journey}:{profile}",
        task_queue="nobody",
        search_attributes=TypedSearchAttributes(attributes),
    )
    steps = {"listen": {"kind": "wait_for"}, "nap": {"kind": "wait"}, "mail": {"kind": "action"}}
    found = [
        *web_ui_links.of_journey(journey, "paused"),
        *web_ui_links.of_versions(journey, [1, 2]),
        *web_ui_links.of_steps(journey, steps),
        *web_ui_links.of_profile(profile, private=False),
    ]
    expected = {
        f"{journey}: all": 1,
        f"{journey}: running, paused": 1,
        f"{journey}: failed": 0,
        f"{journey}: on version 1": 0,
        f"{journey}: on version 2": 1,
        f"{journey}: waiting at listen": 1,
        f"{journey}: waiting at nap": 0,
        f"Profile {profile}": 1,
    }
    for _ in range(100):
        counted = {view.name: (await client.count_workflows(view.query)).count for view in found}
        if counted == expected:
            break
        await asyncio.sleep(0.1)
    assert counted == expected
    for view in web_ui_links.of_all():
        await client.count_workflows(view.query)
    await handle.terminate()
