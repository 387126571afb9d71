"""What can be known of the image and the Compose file without a container engine."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client

from tests.conftest import temporal_binary
from tests.repo.tree import ROOT
from tests.store.postgres import server, why_not

DOCKER = ROOT / "docker"
OURS = ("api", "worker")
ONE_SHOT = ("temporal-schema", "temporal-namespace")


@cache
def compose() -> dict[str, Any]:
    """The Compose file as YAML gives it, its variables not yet replaced."""
    content: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text("utf-8"))
    return content


@cache
def services() -> dict[str, dict[str, Any]]:
    """The services by name."""
    found: dict[str, dict[str, Any]] = compose()["services"]
    return found


def dockerfile() -> str:
    """The Dockerfile without its comments, its continued lines joined."""
    lines = [
        line for line in (DOCKER / "Dockerfile").read_text("utf-8").splitlines() if not line.startswith("#")
    ]
    return "\n".join(lines).replace("\\\n", " ")


def test_all_parts_of_a_deployment_are_there() -> None:
    """PostgreSQL, the schema job, the server, the namespace job, the Web UI, the API and a worker."""
    assert set(services()) == {"postgres", "temporal", "temporal-ui", *ONE_SHOT, *OURS}


@pytest.mark.parametrize("name", services())
def test_images_are_pinned_and_can_be_overridden(name: str) -> None:
    """Each image has a default version of at least two numbers, which an environment variable replaces."""
    image = services()[name]["image"]
    match = re.fullmatch(r"[a-z/-]+:\$\{[A-Z_]+_VERSION:-(?P<version>[0-9a-z.-]+)\}", image)
    assert match, image
    assert re.match(r"\d+\.\d+", match["version"])


@pytest.mark.parametrize("name", services())
def test_ports_are_those_of_this_machine_only(name: str) -> None:
    """Nothing is reachable from another machine until somebody decides so."""
    assert all(str(port).startswith("127.0.0.1:$") for port in services()[name].get("ports", []))
    assert services()[name].get("network_mode") != "host"


def test_services_start_in_order() -> None:
    """Each waits for what it needs: healthy where that runs on, completed where that is a job."""
    needs = {name: service.get("depends_on", {}) for name, service in services().items()}
    for dependencies in needs.values():
        for needed, how in dependencies.items():
            done = needed in ONE_SHOT
            assert how["condition"] == ("service_completed_successfully" if done else "service_healthy")
            assert done or "healthcheck" in services()[needed] or needed == "api"
    order: list[str] = []
    while len(order) < len(needs):
        ready = [name for name, wanted in needs.items() if name not in order and set(wanted) <= set(order)]
        assert ready, f"a cycle among {set(needs) - set(order)}"
        order += ready
    chain = ["postgres", "temporal-schema", "temporal", "temporal-namespace", "api", "worker"]
    assert [name for name in order if name in chain] == chain


@pytest.mark.parametrize("name", services())
def test_services_come_back_and_jobs_end(name: str) -> None:
    """What serves is restarted for as long as nobody stops it; a job is tried a few times."""
    assert services()[name]["restart"] == ("on-failure:5" if name in ONE_SHOT else "unless-stopped")


@pytest.mark.parametrize("name", OURS)
def test_our_containers_have_no_privileges(name: str) -> None:
    """The API and the workers write nothing to their image and have no capabilities."""
    service = services()[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "user" not in service, "the image's own user is the one"


def test_no_password_is_written_down() -> None:
    """Passwords come from the environment file, which says what to do where one is missing."""
    text = (DOCKER / "compose.yaml").read_text("utf-8")
    for name in ("POSTGRES_PASSWORD", "TEMPORAL_DB_PASSWORD", "SOJOURN_DB_PASSWORD"):
        assert f"${{{name}:?set it in docker/.env}}" in text
        assert f"\n{name}=\n" in (DOCKER / ".env.example").read_text("utf-8")
    ignored = (ROOT / ".gitignore").read_text("utf-8").split()
    assert ".env" in ignored
    assert "secrets.env" in ignored


def test_every_variable_is_explained() -> None:
    """Each variable that the Compose file reads is in the example of the environment file."""
    text = (DOCKER / "compose.yaml").read_text("utf-8")
    example = (DOCKER / ".env.example").read_text("utf-8")
    missing = {
        name for name in re.findall(r"\$\{([A-Z_]+)", text) if not re.search(rf"^#? ?{name}=", example, re.M)
    }
    assert not missing


def test_defaults_in_the_example_are_those_of_the_compose_file() -> None:
    """A commented default in the example of the environment file is the one that holds."""
    text = (DOCKER / "compose.yaml").read_text("utf-8")
    example = (DOCKER / ".env.example").read_text("utf-8")
    for name, value in re.findall(r"^# ([A-Z_]+)=(.*)$", example, re.MULTILINE):
        assert f"${{{name}:-{value}}}" in text


def test_the_image_is_built_in_two_stages_from_hashes() -> None:
    """The wheel is built once, everything else comes from the lock, and the last stage builds nothing."""
    text = dockerfile()
    stages = re.findall(r"^FROM (.+)$", text, re.MULTILINE)
    assert stages == ["${PYTHON_IMAGE} AS build", "${PYTHON_IMAGE}"]
    assert re.search(r"^ARG PYTHON_IMAGE=python:3\.\d+\.\d+-slim-\w+$", text, re.MULTILINE)
    installs = re.findall(r"pip install ([^&\n]*)", text)
    assert all("--require-hashes" in line or "--no-deps --no-index" in line for line in installs)
    assert text.count("pip wheel") == 1
    assert "pip" not in text.rpartition("FROM ")[2]


def test_the_image_runs_as_nobody_special() -> None:
    """The user is named by number, so that a cluster can see that it is not root."""
    last = dockerfile().rpartition("FROM ")[2]
    assert re.search(r"^USER (\d+):(\d+)$", last, re.MULTILINE)
    assert not re.search(r"^USER 0", last, re.MULTILINE)
    assert "HEALTHCHECK" in last
    assert 'ENTRYPOINT ["sojourn"]' in last


def test_the_image_gets_every_file_that_its_dockerfile_copies() -> None:
    """The ignore file lets through what the Dockerfile copies, and no environment file."""
    lines = (DOCKER / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    allowed = {line[1:] for line in lines if line.startswith("!")}
    assert "*" in lines
    for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile(), re.MULTILINE):
        for source in sources.split():
            assert (ROOT / source).exists()
            assert source.split("/")[0] in allowed


def test_docker_compose_accepts_the_file(tmp_path: Path) -> None:
    """`docker compose config` passes, where the client has the Compose plugin."""
    if (
        not shutil.which("docker")
        or subprocess.run(["docker", "compose", "version"], capture_output=True).returncode
    ):
        pytest.skip("no Docker client with the Compose plugin here")
    passwords = dict.fromkeys(("POSTGRES_PASSWORD", "TEMPORAL_DB_PASSWORD", "SOJOURN_DB_PASSWORD"), "x")
    command = [
        "docker",
        "compose",
        "--file",
        str(DOCKER / "compose.yaml"),
        "--env-file",
        os.devnull,
        "config",
        "-q",
    ]
    done = subprocess.run(
        command, env={**os.environ, **passwords}, capture_output=True, check=False, text=True
    )
    assert done.returncode == 0, done.stderr
    without = subprocess.run(command, capture_output=True, check=False, text=True)
    assert without.returncode != 0
    assert "set it in docker/.env" in without.stderr


@pytest.mark.parametrize("script", sorted(DOCKER.rglob("*.sh")), ids=lambda path: path.name)
def test_scripts_are_valid_for_a_plain_shell(script: Path) -> None:
    """The jobs' scripts run in the plain shells of their images."""
    assert script.read_text("utf-8").startswith("#!/bin/sh\n")
    subprocess.run(["sh", "-n", str(script)], check=True)


async def test_the_namespace_job_can_run_again(client: Client, unique: str, tmp_path: Path) -> None:
    """On a real server the job makes namespace, retention and search attributes; a second run changes nothing."""
    namespace = f"shop-{unique}"
    environment = {
        "PATH": f"{Path(temporal_binary()).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "TEMPORAL_ADDRESS": client.service_client.config.target_host,
        "TEMPORAL_NAMESPACE": namespace,
        "TEMPORAL_RETENTION": "240h",
    }
    for _ in range(2):
        command = ("sh", str(DOCKER / "temporal/namespace.sh"))
        process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=PIPE, stderr=STDOUT)
        output, _ = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == 0, output.decode()
    there = await Client.connect(client.service_client.config.target_host, namespace=namespace)
    described = await there.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=namespace))
    assert described.config.workflow_execution_retention_ttl.seconds == 240 * 3600
    listed = await there.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=namespace)
    )
    assert {"JourneyName", "JourneyVersion", "JourneyProfile", "JourneyStep"} <= set(listed.custom_attributes)


@pytest.fixture
def postgres() -> Iterator[dict[str, str]]:
    """A PostgreSQL server with the superuser `postgres`, as its image has; yields how to reach it."""
    reason = why_not()
    if reason or not shutil.which("psql"):
        pytest.skip(reason or "no psql: Debian's package postgresql-client has it")
    with server() as url:
        address = urlsplit(url)
        environment = {**os.environ, "PGHOST": str(address.hostname), "PGPORT": str(address.port)}
        # The server of the tests has another superuser, whose name a role of ours has.
        for user, statement in (
            (str(address.username), "create role postgres superuser login"),
            ("postgres", f"alter role {address.username} rename to first"),
        ):
            command = ["psql", "-U", user, "-d", "postgres", "-c", statement]
            subprocess.run(command, env=environment, check=True, capture_output=True)
        yield environment


@pytest.mark.slow
def test_the_databases_are_kept_apart(postgres: dict[str, str]) -> None:
    """The first start of PostgreSQL makes a role and databases for each, which the other cannot enter."""
    environment = {
        **postgres,
        "POSTGRES_USER": "postgres",
        "TEMPORAL_DB_PASSWORD": "it's one",
        "SOJOURN_DB_PASSWORD": "another",
    }
    subprocess.run(
        ["sh", str(DOCKER / "postgres/10-databases.sh")], env=environment, check=True, capture_output=True
    )

    def enters(role: str, database: str) -> bool:
        command = ["psql", "-U", role, "-d", database, "-c", "create table t (x int); drop table t"]
        return subprocess.run(command, env=postgres, capture_output=True).returncode == 0

    assert enters("sojourn", "sojourn")
    assert enters("temporal", "temporal")
    assert enters("temporal", "temporal_visibility")
    assert not enters("temporal", "sojourn")
    assert not enters("sojourn", "temporal")
    # What Temporal's visibility schema asks for: an extension that its owner may create.
    gin = [
        "psql",
        "-U",
        "temporal",
        "-d",
        "temporal_visibility",
        "-c",
        "create extension if not exists btree_gin",
    ]
    assert subprocess.run(gin, env=postgres, capture_output=True).returncode == 0
