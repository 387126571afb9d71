"""Publishing a project over the API, and saying what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sojourn.cli.api_client import ApiClient, ApiRefusedError
from sojourn.cli.project import describe, load

PUBLISH_PATH = "/v1/journeys"


@dataclass
class Outcome:
    """What became of a publication.

    Attributes:
        ok: Whether it was taken.
        answer: The API's answer or its problem details; empty where it was not asked.
        problems: Errors and warnings, as plain JSON.
    """

    ok: bool
    answer: Mapping[str, Any]
    problems: list[dict[str, Any]]

    def lines(self) -> list[str]:
        """Return what to tell a person: problems first, then what is new."""
        lines = describe(self.problems)
        if not self.ok:
            return lines
        lines += [f"warning: {item['message']}" for item in self.answer.get("overridden", [])]
        published = [f"{item['journey']} version {item['version']}" for item in self.answer["published"]]
        for what in ("events", "endpoints"):
            if self.answer[what]:
                lines.append(f"Changed {what}: {', '.join(self.answer[what])}")
        if self.answer.get("profile"):
            lines.append(f"Changed schema of profiles: {self.answer['profile']}")
        if drafts := [
            f"{item['journey']} version {item['version']}" for item in self.answer.get("drafts", [])
        ]:
            lines.append(f"Saved as a draft: {', '.join(drafts)}")
        elif not published:
            lines.append("Published: no journey is new")
        if published:
            lines.append(f"Published: {', '.join(published)}")
        if self.answer["unchanged"]:
            lines.append(f"Unchanged: {', '.join(map(_name, self.answer['unchanged']))}")
        return lines

    @property
    def journeys(self) -> set[str]:
        """The names of the project's journeys, once it was taken."""
        return {item["journey"] for item in self.answer["published"]} | set(self.answer["unchanged"])


def publish(client: ApiClient, folder: Path, *, draft: bool = False) -> Outcome:
    """Publish a project's files.

    Args:
        client: An open connection.
        folder: The project.
        draft: Save its journeys as drafts.

    Returns:
        What the API says, or what is wrong with the definitions.

    Raises:
        CliError: The folder is no project, nothing answers, or the API refuses for another reason.
    """
    project = load(folder)
    if not project.ok:
        # Some problems, such as a file that cannot be read, are known only here.
        return Outcome(False, {}, [problem.as_dict() for problem in project.problems])
    try:
        answer = client.post(PUBLISH_PATH, {"files": project.files}, draft=True if draft else None)
    except ApiRefusedError as refused:
        problems = refused.problem.get("problems")
        if not isinstance(problems, list):
            raise
        return Outcome(False, refused.problem, problems)
    return Outcome(True, answer, answer.get("problems", []))


def live_journeys(client: ApiClient) -> set[str]:
    """Return the names of the journeys that let profiles in.

    Raises:
        CliError: Nothing answers, or the API refuses.
    """
    return {item["name"] for item in client.get(PUBLISH_PATH)["journeys"] if item["state"] == "live"}


def _name(item: Any) -> str:
    return f"{item['journey']} version {item['version']}" if isinstance(item, dict) else str(item)
