"""What a deployment may set, read from the environment (`SOJOURN_…`)."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from sojourn.contract import names

__all__ = ["Settings"]


class Settings(BaseSettings):
    """Settings of the API and of workers.

    Each field is read from the environment variable `SOJOURN_<FIELD>`. How to reach Temporal is set by
    Temporal's own variables (`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, ...), see `temporalio.envconfig`.
    """

    model_config = SettingsConfigDict(env_prefix="SOJOURN_", extra="ignore", frozen=True)

    database: str = Field(
        "sqlite:///sojourn.db", description="SQLAlchemy URL: sqlite:///PATH or postgresql://…"
    )
    task_queue: str = Field(names.TASK_QUEUE, description="Task queue of journeys and actions")
    api_host: str = Field("127.0.0.1", description="Address on which the API listens")
    api_port: int = Field(8080, ge=0, le=65535, description="Port on which the API listens")
    max_body: int = Field(
        1024 * 1024, ge=1024, description="Largest request body that the API reads, in bytes"
    )
    max_batch: int = Field(1000, ge=1, description="Most events, or profiles, in one request")
    search_attributes: bool = Field(True, description="Set the Journey… search attributes on instances")
    private_keys: bool = Field(
        False, description="Hash every profile key in workflow ids and search attributes"
    )
    dedup_window_days: int = Field(91, ge=1, description="How long event ids are remembered, in days")
    max_wait_days: int = Field(90, ge=1, le=3650, description="The longest wait of a journey, in days")
    max_timeout_days: int = Field(91, ge=1, le=3650, description="The longest life of an instance, in days")
    max_instances: int = Field(
        10,
        ge=1,
        le=100,
        description="Most instances of one profile in a journey that has a second key (`per`)",
    )
    secrets: str = Field("", description="Comma-separated names of secrets that definitions may name")
    secrets_folder: Path | None = Field(
        None, description="Folder with one file per secret, as containers mount them"
    )
    dotenv: Path | None = Field(None, description="File of NAME=value lines with secrets, for development")
    allow_hosts: str = Field(
        "",
        description="Comma-separated host or host:port names that may be called at private addresses",
    )
    ca_file: Path | None = Field(
        None, description="PEM file of more authorities that verify the servers called"
    )
    catalog_refresh: float = Field(
        1.0, gt=0, description="Seconds after which what was published is seen by all"
    )
    project: Path | None = Field(
        None, description="Project whose Python actions and sources a worker runs; only workers use it"
    )
    modules: str = Field(
        "",
        description="Comma-separated names of installed modules whose Python actions and sources a worker runs",
    )
    project_required: bool = Field(
        True,
        description="Whether a worker without one of its Python files ends at its start; if not, it runs the others",
    )
    data_converter: str = Field(
        "",
        description="MODULE:ATTRIBUTE of the data converter of all processes, such as one that encrypts; the "
        "module has to be installed beside Sojourn",
    )
    local_fetch: bool = Field(
        True, description="Run fetches as local activities; false where workers of journeys perform no calls"
    )
    versioning: Literal["auto-upgrade", "pinned"] = Field(
        "auto-upgrade",
        description="What instances do when a versioned worker's deployment has a newer build: go on with it, or "
        "stay on the build on which they began",
    )
