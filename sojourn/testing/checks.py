"""Checking that what a scenario names is in the project."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from sojourn.definitions import Project, load_texts
from sojourn.definitions.codes import Code
from sojourn.definitions.documents.validate import Source
from sojourn.definitions.kinds.journey import CodeJourney
from sojourn.definitions.problems import Path, choose
from sojourn.simulation.actions import Act, Meanwhile, OfJourney, Target
from sojourn.testing.scenarios import Expectation, Scenario


def versions_of(
    scenario: Scenario, source: Source, project: Project, files: Mapping[str, str]
) -> dict[str, Project]:
    """Return what each folder that a scenario publishes makes of the project; report what cannot be published.

    Args:
        scenario: The scenario.
        source: Its document.
        project: The project.
        files: Text of each file below the folder `tests`, by its path.
    """
    found: dict[str, Project] = {}
    for index, act in enumerate(scenario.events):
        if act.publish is None or act.publish in found:
            continue
        prefix = f"{PurePosixPath(source.file).parent / act.publish}/"
        over = {name.removeprefix(prefix): text for name, text in files.items() if name.startswith(prefix)}
        path = ("events", index, "publish")
        if not over:
            hint = "Name a folder beside this file, with the files that change."
            source.report(Code.NO_PROJECT, path, f"There are no definitions in {prefix}", hint)
            continue
        version = load_texts({**project.files, **over})
        for problem in version.errors[:5]:
            message = f"With the files of {prefix} the project has an error: {problem}"
            hint = "A file takes the place of the project's file that has the same path."
            source.report(Code.NO_PROJECT, path, message, hint)
        found[act.publish] = version
    return found


class Checker:
    """Reports what a scenario names and the project has not.

    Args:
        scenario: The scenario.
        source: Its document; problems are reported there.
        projects: The project, and what the scenario publishes over it.
    """

    def __init__(self, scenario: Scenario, source: Source, projects: list[Project]) -> None:
        self._scenario = scenario
        self._source = source
        self._projects = projects
        self._events = {name for project in projects for name in project.events}
        self._journeys = {name for project in projects for name in project.journeys}
        self._endpoints = {endpoint.name for project in projects for endpoint in project.endpoints.values()}

    def check(self) -> None:
        """Report everything."""
        for index, act in enumerate(self._scenario.events):
            self._act(act, ("events", index))
        for name, answers in self._scenario.answers.items():
            self._known(
                Code.UNKNOWN_SOURCE, ("answers", name), "source or action", name, self._endpoints, key=True
            )
            for index, answer in enumerate(answers):
                for place, meanwhile in enumerate(answer.during):
                    self._meanwhile(meanwhile, ("answers", name, index, "during", place))
        for index, expected in enumerate(self._scenario.expect):
            self._expectation(expected, ("expect", index))

    def _act(self, act: Act, path: Path) -> None:
        self._meanwhile(act, path)
        if self._scenario.moment(act.at) < self._scenario.now:
            self._source.report(
                Code.DATE,
                (*path, "at"),
                "This is before the scenario begins, at `now`",
                "Write a later moment, or an earlier `now`.",
            )

    def _meanwhile(self, act: Meanwhile, path: Path) -> None:
        if act.event is not None:
            self._known(Code.UNKNOWN_EVENT, (*path, "event"), "event", act.event, self._events)
        elif strange := sorted({"id", "data"} & act.model_fields_set):
            self._source.report(
                Code.UNKNOWN_KEY,
                (*path, strange[0]),
                f"`{strange[0]}` belongs to an event",
                "Leave it out, or write `event: NAME`.",
                key=True,
            )
        whom = getattr(act, act.named)
        if isinstance(whom, (Target, OfJourney)) and whom.journey is not None:
            written = (*path, act.named, "journey")
            # The name may stand alone in the place of the mapping.
            where = written if written in self._source.document.places else written[:-1]
            self._known(Code.UNKNOWN_JOURNEY, where, "journey", whom.journey, self._journeys)

    def _expectation(self, expected: Expectation, path: Path) -> None:
        if expected.journey is not None:
            self._known(Code.UNKNOWN_JOURNEY, (*path, "journey"), "journey", expected.journey, self._journeys)
        for index, call in enumerate(expected.calls or ()):
            where = (*path, "calls", index)
            self._known(Code.UNKNOWN_ACTION, where, "source or action", call.endpoint, self._endpoints)
        steps = {
            step
            for project in self._projects
            for name, journey in project.journeys.items()
            if expected.journey in (None, name)
            for step in journey.steps
        }
        # The steps of a Python journey are known only once they have been passed.
        code = any(
            isinstance(journey, CodeJourney) and expected.journey in (None, name)
            for project in self._projects
            for name, journey in project.journeys.items()
        )
        for index, item in enumerate(() if code else expected.steps or ()):
            self._known(Code.UNKNOWN_STEP, (*path, "steps", index), "step", item.step, steps)
        if expected.waiting_at is not None:
            if not code:
                self._known(Code.UNKNOWN_STEP, (*path, "waiting_at"), "step", expected.waiting_at, steps)
            if expected.outcome is not None:
                message, hint = "An instance that waits has no outcome yet", "Leave one of the two out."
                self._source.report(Code.ONE_OF, (*path, "outcome"), message, hint, key=True)

    def _known(
        self, code: Code, path: Path, noun: str, name: str, known: Iterable[str], *, key: bool = False
    ) -> None:
        names = sorted(known)
        if name not in names:
            message = f"There is no {noun} `{name[:80]}` in the project"
            self._source.report(code, path, message, choose(name, names, noun), key=key)
