"""A PostgreSQL server of the tests' own, where its binaries are installed."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.conftest import free_port

START_SECONDS = 30


def binaries() -> Path | None:
    """Return the folder of initdb and postgres: Debian's, newest first, or that of the PATH."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -float(path.parent.name))
    on_path = shutil.which("initdb")
    if on_path:
        folders.append(Path(on_path).resolve().parent)
    return next(
        (folder for folder in folders if (folder / "initdb").exists() and (folder / "postgres").exists()),
        None,
    )


def why_not() -> str | None:
    """Return why there can be no PostgreSQL here, or None."""
    if binaries() is None:
        return "no PostgreSQL server binaries: Debian's package postgresql has them"
    if os.geteuid() == 0 and _other_user() is None:
        return "PostgreSQL refuses to run as root, and there is no user postgres or nobody"
    return None


def _other_user() -> pwd.struct_passwd | None:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None


@contextmanager
def server() -> Iterator[str]:
    """Run a server in a temporary folder; yields its URL without a database."""
    folder, found = binaries(), Path(tempfile.mkdtemp(prefix="sojourn-postgres-"))
    assert folder is not None
    user = _other_user() if os.geteuid() == 0 else None
    identity: dict[str, Any] = (
        {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    )
    if user is not None:
        os.chown(found, user.pw_uid, user.pw_gid)
    data, port = found / "data", free_port()
    try:
        subprocess.run(
            [
                folder / "initdb",
                "-D",
                data,
                "-U",
                "sojourn",
                "--auth=trust",
                "-E",
                "UTF8",
                "--locale=C",
                "-N",
            ],
            check=True,
            cwd=found,
            stdout=subprocess.DEVNULL,
            **identity,
        )
        fast = ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]
        process = subprocess.Popen(
            [folder / "postgres", "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", found, *fast],
            cwd=found,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **identity,
        )
        try:
            _wait(folder, port, process)
            yield f"postgresql://sojourn@127.0.0.1:{port}"
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=START_SECONDS)
    finally:
        shutil.rmtree(found, ignore_errors=True)


def _wait(folder: Path, port: int, process: subprocess.Popen[bytes]) -> None:
    ready: list[Any] = [folder / "pg_isready", "-h", "127.0.0.1", "-p", str(port), "-q"]
    deadline = time.monotonic() + START_SECONDS
    while subprocess.run(ready, check=False).returncode != 0:
        assert process.poll() is None, "PostgreSQL ended at once"
        assert time.monotonic() < deadline, "PostgreSQL did not start"
        time.sleep(0.05)
