"""What makes a project's folder a development deployment: its `.env`, and calls to this machine."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")

DOTENV = Path(".env")
"""The project's secrets, relative to it."""


def secret_names(project: Path) -> list[str]:
    """Return the names of the secrets that may be used: those of `SOJOURN_SECRETS` and of the project's `.env`."""
    from dotenv import dotenv_values

    allowed = {name.strip() for name in os.environ.get("SOJOURN_SECRETS", "").split(",") if name.strip()}
    if (project / DOTENV).is_file():
        with contextlib.suppress(OSError, UnicodeDecodeError):
            allowed |= set(dotenv_values(project / DOTENV, interpolate=False))
    return sorted(allowed)


def development(project: Path) -> dict[str, str]:
    """Return the settings, as variables, with which calls are made while a project is developed.

    Secrets come from the environment and from the project's `.env`, and endpoints may be on this machine.

    Args:
        project: The project's folder.
    """
    return {
        "SOJOURN_DOTENV": str(project / DOTENV),
        "SOJOURN_SECRETS": ",".join(secret_names(project)),
        "SOJOURN_ALLOW_HOSTS": ",".join([os.environ.get("SOJOURN_ALLOW_HOSTS", ""), *LOOPBACK_HOSTS]),
    }
