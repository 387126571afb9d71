"""From documents to models: what each document is, and whether it has the shape of that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from sojourn.definitions.codes import Code
from sojourn.definitions.documents.contents import ReadEndpoint, ReadEvent, ReadProfile
from sojourn.definitions.documents.secrets import check_leaks
from sojourn.definitions.documents.validate import Source, described, fit
from sojourn.definitions.documents.yaml import read_documents
from sojourn.definitions.kinds.endpoint import EndpointDefinition
from sojourn.definitions.kinds.event import EventDefinition
from sojourn.definitions.kinds.journey import CodeJourney, JourneyHead
from sojourn.definitions.kinds.profile import ProfileDefinition
from sojourn.definitions.limits import DEFAULT_LIMITS, Limits
from sojourn.definitions.problems import Problem, choose, dotted
from sojourn.definitions.steps import Step
from sojourn.definitions.steps.reading import read_steps

KINDS = ("event", "source", "action", "profile", "journey")
"""The first keys that documents may have."""


@dataclass(slots=True)
class ReadJourney:
    """A journey document. A step that has not the shape of any is None; the others are there all the same.

    The head of a journey that is code is a `CodeJourney`, and it has no steps.
    """

    source: Source
    name: str
    head: JourneyHead | None
    steps: dict[str, Step | None]


@dataclass(slots=True)
class Reading:
    """All that was read from a project's files."""

    problems: list[Problem] = field(default_factory=list)
    events: dict[str, ReadEvent] = field(default_factory=dict)
    endpoints: dict[str, ReadEndpoint] = field(default_factory=dict)
    journeys: dict[str, ReadJourney] = field(default_factory=dict)
    profile: ReadProfile | None = None
    types: dict[str, Any] = field(default_factory=dict)
    """Types that schemas were read as, by what they describe; filled by `scopes`."""
    limits: Limits = DEFAULT_LIMITS
    """What the project may hold."""
    broken: bool = False
    """A file could not be read to its end, so that names may be missing which it declares."""


def read_files(files: Mapping[str, str], limits: Limits, problems: list[Problem]) -> Reading:
    """Read the documents of all files.

    Args:
        files: Text of each file by its path.
        limits: What a project may hold.
        problems: What is wrong already; what is found is added.
    """
    broken = any(problem.severity == "error" for problem in problems)
    reading = Reading(problems=problems, limits=limits, broken=broken)
    for name in sorted(files):
        _read_file(name, files[name], limits, reading)
    return reading


def _read_file(name: str, text: str, limits: Limits, reading: Reading) -> None:
    size = len(text.encode("utf-8", "replace"))
    if size > limits.file_size:
        message = f"The file has {size:,} bytes; at most {limits.file_size:,} are read"
        reading.problems.append(
            Problem(Code.TOO_LARGE.value, "error", name, 0, 0, "", message, "Divide it into several files.")
        )
        reading.broken = True
        return
    documents, broken = read_documents(text.removeprefix("\ufeff"), limits)
    for found in broken:
        reading.broken |= found.code in (Code.YAML, Code.TAB, Code.TOO_LARGE)
        place = (found.line, found.column)
        reading.problems.append(
            Problem(found.code.value, "error", name, *place, dotted(found.path), found.message, found.hint)
        )
    for document in documents:
        if document.value is not None:
            _read_document(Source(name, document, reading.problems), limits, reading)


def _read_document(source: Source, limits: Limits, reading: Reading) -> None:
    value = source.document.value
    if not isinstance(value, dict) or not value:
        source.report(
            Code.NOT_A_MAPPING,
            (),
            f"A document must be a mapping, not {described(value) if value != {} else 'an empty one'}",
            f"Begin it with one of {', '.join(f'`{kind}: NAME`' for kind in KINDS)}.",
        )
        return
    check_leaks(value, source)
    kind = _kind(value, source)
    if kind is None:
        return
    source.kind = kind
    name = value[kind]
    if not isinstance(name, str):
        source.report(
            Code.WRONG_VALUE,
            (kind,),
            f"The name of the {kind} must be a text, not {described(name)}",
            f"Write `{kind}: some-name`.",
        )
        name = ""
    {"event": _event, "source": _endpoint, "action": _endpoint, "profile": _profile, "journey": _journey}[
        kind
    ](source, name, value, limits, reading)


def _kind(value: dict[str, Any], source: Source) -> str | None:
    first = next(iter(value))
    if first in KINDS:
        return first
    others = [kind for kind in KINDS if kind in value]
    if len(others) == 1:
        source.report(
            Code.DOCUMENT_KIND,
            (first,),
            f"The first key of a document says what it is, and `{first[:60]}` says nothing",
            f"Move `{others[0]}: ...` to the top.",
            key=True,
        )
        return others[0]
    source.report(
        Code.DOCUMENT_KIND,
        (first,),
        f"The first key of a document says what it is, and `{first[:60]}` is nothing that Sojourn knows",
        choose(first, KINDS),
        key=True,
    )
    return None


def _taken(source: Source, name: str, earlier: Source | None) -> bool:
    """Report a name that another document has already."""
    if earlier is None or not name:
        return False
    line, _ = earlier.document.place((earlier.kind,), key=True)
    another = f"another {source.kind}" if earlier.kind == source.kind else _with_article(earlier.kind)
    source.report(
        Code.DUPLICATE_NAME,
        (source.kind,),
        f"There is {another} with the name `{name[:80]}`, "
        f"in {PurePosixPath(earlier.file).as_posix()}, line {line}",
        "Give each a name of its own.",
    )
    return True


def _with_article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "ae" else f"a {kind}"


def _named(value: dict[str, Any], kind: str, source: Source) -> dict[str, Any]:
    """Return the document as its model wants it: the name as `name`."""
    for key in ("name", "kind"):
        if key in value:
            hint = (
                f"The name stands at the top: `{kind}: NAME`."
                if key == "name"
                else f"The first key, `{kind}`, says it."
            )
            source.report(Code.UNKNOWN_KEY, (key,), f"The key `{key}` is not known here", hint, key=True)
    return {
        "name" if key == kind else key: item for key, item in value.items() if key not in ("name", "kind")
    }


def _event(source: Source, name: str, value: dict[str, Any], _: Limits, reading: Reading) -> None:
    earlier = reading.events.get(name)
    taken = _taken(source, name, earlier.source if earlier else None)
    model = None
    if name:
        rest = ("when", "description")
        model = fit(EventDefinition, _named(value, "event", source), source, rename="event", dispensable=rest)
    if name and not taken:
        reading.events[name] = ReadEvent(source, model)


def _endpoint(source: Source, name: str, value: dict[str, Any], _: Limits, reading: Reading) -> None:
    kind = source.kind
    # A journey's steps name sources and actions alike, and its instances know them by name only.
    earlier = reading.endpoints.get(f"source:{name}") or reading.endpoints.get(f"action:{name}")
    taken = _taken(source, name, earlier.source if earlier else None)
    model = None
    if name:
        data = _named(value, kind, source) | {"kind": kind}
        # Steps are checked against the parameters, so these must be right; the rest is checked on its own.
        rest = EndpointDefinition.model_fields.keys() - {"kind", "name", "url", "parameters"}
        model = fit(EndpointDefinition, data, source, rename=kind, dispensable=rest)
    if name and not (taken and earlier and earlier.source.kind == kind):
        reading.endpoints[f"{kind}:{name}"] = ReadEndpoint(source, model)


def _profile(source: Source, name: str, value: dict[str, Any], _: Limits, reading: Reading) -> None:
    model = None
    if name:
        data = _named(value, "profile", source)
        model = fit(ProfileDefinition, data, source, rename="profile", dispensable=("description",))
    if reading.profile is None:
        reading.profile = ReadProfile(source, model)
        return
    first = reading.profile.source
    line, _column = first.document.place(("profile",), key=True)
    source.report(
        Code.DUPLICATE_NAME,
        ("profile",),
        f"A project has one document `profile`, and there is one in {first.file}, line {line}",
        "Keep one of them, with the attributes of both in its schema.",
        key=True,
    )


def _journey(source: Source, name: str, value: dict[str, Any], limits: Limits, reading: Reading) -> None:
    earlier = reading.journeys.get(name)
    taken = _taken(source, name, earlier.source if earlier else None)
    head = _named({key: item for key, item in value.items() if key != "steps"}, "journey", source)
    model = None
    code = "workflow" in value
    shape: type[JourneyHead] = CodeJourney if code else JourneyHead
    if name:
        rest = shape.model_fields.keys() - {"name", "entry", "workflow", "steps"}
        model = fit(shape, head, source, rename="journey", dispensable=rest)
    steps = {} if code else read_steps(value, source, limits)
    if name and not taken:
        reading.journeys[name] = ReadJourney(source, name, model, steps)
