"""What a test is about: a project's files, and its Python journeys, which a worker has to know as classes."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sojourn import definitions
from sojourn.definitions import Project
from sojourn.definitions.kinds.journey import CodeJourney
from sojourn.functions import documents
from sojourn.loading import Imported, import_project, members_of
from sojourn.loading.importing import path_in
from sojourn.workflows.authoring.define import settings_of
from sojourn.workflows.authoring.settings import JourneySettings

Source = Project | Path | str | Mapping[str, str]
"""A project: as it is, its folder, or the texts of its files by their paths."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a test is about.

    Attributes:
        project: The project, without errors.
        journeys: The classes of its Python journeys.
    """

    project: Project
    journeys: list[type] = field(default_factory=list)


def prepare_project(project: Source | None = None, journeys: Sequence[type] = ()) -> Prepared:
    """Return what a test is about.

    The Python files of a folder are imported into this process. Journeys that are given as classes bring along the
    events, sources and actions that their modules name.

    Args:
        project: The project; none where classes say everything.
        journeys: Classes that were decorated with `journey.defn`.

    Raises:
        ValueError: The project has errors; the message names them.
        JourneyError: One of the `journeys` is none.
    """
    if isinstance(project, Project):
        if missing := _missing(project, journeys):
            raise ValueError(
                f"the project has the Python journeys {', '.join(missing)}, whose classes a test needs: give its "
                "folder in the place of the loaded project, or journeys=[…]"
            )
        return Prepared(_in_order(project), list(journeys))
    folder = Path(project) if project is not None and not isinstance(project, Mapping) else None
    found = import_project(folder) if folder is not None and folder.is_dir() else Imported()
    for body in journeys:
        settings = settings_of(body)
        named = members_of(sys.modules[body.__module__])
        found.add([settings, *(thing for thing in named if not isinstance(thing, JourneySettings))])
    base = folder if folder is not None else Path()
    generated = documents(found.declared, lambda thing: path_in(base, thing))
    if folder is not None:
        read = definitions.load_project(folder, generated=generated, found=found.problems)
    else:
        assert project is None or isinstance(project, Mapping)
        read = definitions.load_texts({**(project or {}), **generated})
    return Prepared(_in_order(read), found.journeys)


def _in_order(project: Project) -> Project:
    if not project.ok:
        raise ValueError("\n".join(map(str, project.errors)))
    return project


def _missing(project: Project, journeys: Sequence[type]) -> list[str]:
    given = {settings_of(body).name for body in journeys}
    written = {name for name, journey in project.journeys.items() if isinstance(journey, CodeJourney)}
    return sorted(written - given)
