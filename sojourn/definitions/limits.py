"""Limits and defaults of projects. A compiled journey carries those of its run, so an instance keeps them."""

from __future__ import annotations

from dataclasses import dataclass

DAY = 86_400

DEFAULT_TIMEOUT = 91 * DAY
"""Seconds that an instance may live if its journey does not say."""

DEFAULT_CALL_TIMEOUT = 30
"""Seconds that a call may take with its retries."""

MAX_WAIT = 90 * DAY
"""Seconds that one wait may take."""

CALL_TIMEOUT = (1, 30)
"""Shortest and longest `call_timeout`, in seconds."""

DEFAULT_REENTRY_AFTER = 300
"""Seconds after which a profile may enter again."""

MAX_VISITS = 1000
"""Visits of one step by one instance, which bound its loops."""

MAX_PENDING = 100
"""Events that an instance keeps while it works."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a project may hold."""

    steps: int = 50
    """Steps of one journey."""
    file_size: int = 1024 * 1024
    """Size of one file, in bytes."""
    files: int = 2000
    """Files of a project."""
    project_size: int = 16 * 1024 * 1024
    """Size of all files together, in bytes."""
    depth: int = 64
    """Levels of nesting in a document."""
    documents: int = 1000
    """Documents in one file."""
    nodes: int = 200_000
    """Values in one file."""
    wait: float = MAX_WAIT
    """The longest wait, in seconds."""
    timeout: float = DEFAULT_TIMEOUT
    """The longest life of an instance, in seconds."""

    @classmethod
    def of_days(cls, wait: float, timeout: float) -> Limits:
        """Return the limits of a deployment that sets the longest wait and the longest life, in days."""
        return cls(wait=wait * DAY, timeout=timeout * DAY)


MAX_PROBLEMS = 100
"""Problems that are named of one document."""

DEFAULT_LIMITS = Limits()
