"""Links to views of Temporal's Web UI, which the Web UI keeps under their names once they were opened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from sojourn.contract import names

CLOUD_UI = "https://cloud.temporal.io"
LOCAL_UI = "http://127.0.0.1:8233"
_CLOUD_HOSTS = (".tmprl.cloud", ".api.temporal.io")
# The runs of one instance are one instance: those that another run took over from are left out. Said by naming all
# others, since the Web UI shows a status that is excluded as one that is asked for.
_ANY = "({})".format(
    " OR ".join(
        f'ExecutionStatus = "{status}"'
        for status in ("Running", "Paused", "Completed", "Failed", "Canceled", "Terminated", "TimedOut")
    )
)


@dataclass(frozen=True, slots=True)
class View:
    """A list of instances in the Web UI.

    Attributes:
        name: Under which the Web UI keeps it.
        query: Temporal's list filter.
    """

    name: str
    query: str

    def url(self, ui: str, namespace: str) -> str:
        """Return the link to it.

        Args:
            ui: Address of the Web UI, without a slash at its end.
            namespace: Temporal's namespace.
        """
        path = f"{ui}/namespaces/{quote(namespace, safe='')}/workflows"
        return f"{path}?query={quote(self.query, safe='')}&savedQuery={quote(self.name, safe='')}"


def ui_of(address: str) -> str:
    """Return where the Web UI of a Temporal server is, as far as its address says."""
    host = urlsplit(f"//{address}").hostname or ""
    return CLOUD_UI if host.endswith(_CLOUD_HOSTS) else LOCAL_UI


def of_all() -> list[View]:
    """Return the views over all journeys."""
    return [
        View("Journeys: all", _by()),
        View("Journeys: running", _by(status="Running")),
        View("Journeys: failed", _by(status="Failed")),
        # Temporal sets it where tasks of a workflow fail again and again: a defect, or a worker that is too old.
        View("Journeys: stuck", f"{_by(status='Running')} AND TemporalReportedProblems IS NOT NULL"),
        View("Journeys: paused in Temporal", _by(status="Paused")),
    ]


def of_journey(name: str, state: str | None = None) -> list[View]:
    """Return the views of one journey.

    Args:
        name: The journey.
        state: Its state; while it is paused, so are those of its instances that an operator did not resume.
    """
    running = f"{name}: running, paused" if state == "paused" else f"{name}: running"
    return [
        View(f"{name}: all", _by(name)),
        View(running, _by(name, status="Running")),
        View(f"{name}: failed", _by(name, status="Failed")),
    ]


def of_versions(name: str, versions: Sequence[int]) -> Iterator[View]:
    """Yield the views of who is on which version of a journey."""
    for version in versions:
        query = f"{_by(name, status='Running')} AND {names.SEARCH_VERSION} = {version}"
        yield View(f"{name}: on version {version}", query)


def of_steps(name: str, steps: Mapping[str, Mapping[str, Any]]) -> Iterator[View]:
    """Yield the views of who waits at which step of a journey.

    Args:
        name: The journey.
        steps: Its steps by id, each with its `kind`.
    """
    from sojourn.definitions.compiled import waits

    for step, definition in steps.items():
        if waits(definition):
            query = f"{_by(name, status='Running')} AND {names.SEARCH_STEP} = {_quoted(step)}"
            yield View(f"{name}: waiting at {step}", query)


def of_profile(key: str, *, private: bool) -> list[View]:
    """Return the view of one profile's instances, in all journeys.

    Args:
        key: The profile key, or the form of it that search attributes have.
        private: The deployment hashes profile keys.
    """
    part = names.profile_part_of(key, private=private)
    return [View(f"Profile {part}", f"{names.SEARCH_PROFILE} = {_quoted(part)} AND {_ANY}")]


def _by(journey: str | None = None, *, status: str | None = None) -> str:
    parts = [
        f"{names.SEARCH_JOURNEY} = {_quoted(journey)}" if journey else f"{names.SEARCH_JOURNEY} IS NOT NULL"
    ]
    parts.append(f'ExecutionStatus = "{status}"' if status else _ANY)
    return " AND ".join(parts)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
