"""`journey.defn` and `journey.run`: an author's class becomes a Temporal workflow."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, TypeVar, get_args, get_type_hints

from temporalio import workflow

from sojourn.definitions import limits
from sojourn.functions.collecting import Declared, declare
from sojourn.workflows.authoring import runtime
from sojourn.workflows.authoring.errors import JourneyError
from sojourn.workflows.authoring.events import Event, EventDocument, spec_of
from sojourn.workflows.authoring.settings import (
    ExitCriterion,
    JourneySettings,
    Moment,
    read_settings,
)
from sojourn.workflows.journey import Journey
from sojourn.workflows.start import prepare

Body = TypeVar("Body")
Method = TypeVar("Method", bound=Callable[..., Any])

_RUN = "__sojourn_run__"
_SETTINGS = "__sojourn_journey__"
_MAIN = "__sojourn_main__"
_HANDLERS = {
    name: handler
    for name, handler in vars(Journey).items()
    if hasattr(handler, "__temporal_signal_definition") or hasattr(handler, "__temporal_query_definition")
}
"""Sojourn's own signals and queries: those of journeys in YAML."""

_OURS = ("_instance", "_problem")


def run(method: Method) -> Method:
    """Mark the method that is the journey.

        @journey.run
        async def run(self, cart: CartUpdated) -> str | None:

    Args:
        method: It gets the entry event, and returns the outcome, a text, or nothing.

    Raises:
        JourneyError: It is no `async def` method of that form.
    """
    if not inspect.iscoroutinefunction(method):
        raise JourneyError(f"{method.__qualname__} must be `async def`: a journey waits")
    positional = [
        parameter
        for parameter in inspect.signature(method).parameters.values()
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ]
    if len(positional) != 2:
        raise JourneyError(
            f"{method.__qualname__} must take the entry event and nothing else: "
            f"write async def {method.__name__}(self, event: EntryEvent) -> str"
        )
    setattr(method, _RUN, True)
    return method


def defn(
    *,
    name: str,
    entry: type[Event],
    per: str | None = None,
    description: str | None = None,
    reentry: bool = True,
    reentry_after: timedelta = timedelta(seconds=limits.DEFAULT_REENTRY_AFTER),
    exit_when: Iterable[ExitCriterion] = (),
    timezone: str = "UTC",
    timeout: timedelta = timedelta(seconds=limits.DEFAULT_TIMEOUT),
    call_timeout: timedelta = timedelta(seconds=limits.DEFAULT_CALL_TIMEOUT),
    start: Moment | None = None,
    end: Moment | None = None,
    listens: Iterable[type[Event]] = (),
    sandboxed: bool = True,
) -> Callable[[type[Body]], type[Body]]:
    """Make a class a journey. It is a Temporal workflow as well, and may have signals, queries and updates of its own.

    Args:
        name: The journey's name, and its workflow type.
        entry: The event that starts an instance.
        per: The key of an instance within its profile, which may then have several instances at a time: a field's name,
            or a CEL expression over `event`, the data of each event that the journey takes. None: a profile has one
            instance.
        description: A sentence for operators; the class's docstring begins with one if left out.
        reentry: Whether a profile may enter again.
        reentry_after: How long after its last entry.
        exit_when: Events that end an instance wherever it stands: names or classes, or pairs of one and a CEL
            condition over `event`, `entry`, `profile`, `journey` and `now`.
        timezone: IANA name, or `${…}` over `entry` and `profile` that gives one.
        timeout: Longest life of an instance.
        call_timeout: Longest time of one call with its retries, 1 to 30 seconds.
        start: First day or moment at which profiles may enter.
        end: Last day on which, or moment until which, profiles may enter.
        listens: Event classes that the code waits for and that cannot be found by reading it, see
            `sojourn.workflows.authoring.source_scan`; the entry event, too, if a step waits for it.
        sandboxed: Whether Temporal's workflow sandbox runs it.

    Returns:
        A decorator that returns the class itself.

    Raises:
        JourneyError: The class breaks a rule.
        ValueError: An argument is not as it must be.
    """
    for what, given in (("exit_when", exit_when), ("listens", listens)):
        if isinstance(given, str | type) or not isinstance(given, Iterable):
            raise JourneyError(f"{what} of @journey.defn must be a list: {what}=[…]")
    listening, criteria = tuple(listens), list(exit_when)

    def decorate(body: type[Body]) -> type[Body]:
        if not isinstance(body, type):
            raise JourneyError(
                "@journey.defn stands on something that is no class: put it on the journey's class"
            )
        if sandboxed and "<locals>" in body.__qualname__:
            raise JourneyError(
                f"{body.__name__} is defined in a function, where Temporal's sandbox cannot find it: move it to the "
                "top of its module"
            )
        method = _run_method(body)
        words = description or (inspect.cleandoc(body.__doc__).partition("\n")[0] if body.__doc__ else None)
        try:
            head = read_settings(
                name=name,
                description=words,
                entry=entry,
                per=per,
                reentry=reentry,
                reentry_after=reentry_after,
                exit_when=criteria,
                timezone=timezone,
                timeout=timeout,
                call_timeout=call_timeout,
                start=start,
                end=end,
            )
            for event in listening:
                spec_of(event)
            _check_signature(body, method, entry)
            settings = JourneySettings(head, entry, listening, body, method)
            _equip(body, settings)
            workflow.defn(name=head.name, sandboxed=sandboxed)(body)
        except (ValueError, TypeError) as error:
            raise JourneyError(f"@journey.defn of {body.__name__}: {error}") from None
        setattr(body, _SETTINGS, settings)
        declare(settings)
        return body

    return decorate


def settings_of(body: type) -> JourneySettings:
    """Return the settings of a class that was decorated with `journey.defn`.

    Raises:
        JourneyError: It was not.
    """
    settings = body.__dict__.get(_SETTINGS) if isinstance(body, type) else None
    if not isinstance(settings, JourneySettings):
        shown = getattr(body, "__name__", repr(body))
        raise JourneyError(f"{shown} is no journey: decorate its class with @journey.defn(name=…, entry=…)")
    return settings


def declared_by(value: Any) -> Declared | None:
    """Return what a class declares: a journey or an event; None for any other value.

    Args:
        value: Anything that a module holds.
    """
    if not isinstance(value, type):
        return None
    found = value.__dict__.get(_SETTINGS) or value.__dict__.get("__sojourn_document__")
    return found if isinstance(found, JourneySettings | EventDocument) else None


def _run_method(body: type) -> Callable[..., Any]:
    """Return the method that is the journey.

    Raises:
        JourneyError: There is none, there are several, or a method clashes with what Sojourn adds.
    """
    members = inspect.getmembers_static(body)
    marked = [member for _, member in members if getattr(member, _RUN, False)]
    if len(marked) != 1:
        what = "no method" if not marked else f"{len(marked)} methods"
        raise JourneyError(
            f"{body.__name__} has {what} marked with @journey.run: mark one, "
            "async def run(self, event: EntryEvent) -> str"
        )
    taken = {_defined(handler) for handler in _HANDLERS.values()}
    for name, member in members:
        if hasattr(member, "__temporal_workflow_run") and name != _MAIN:
            raise JourneyError(
                f"{body.__name__} has a method marked with @workflow.run: @journey.run takes its place"
            )
        if name.startswith("__sojourn_"):
            continue
        if (defined := _defined(member)) in taken:
            raise JourneyError(
                f"{body.__name__} has a {defined[0]} {defined[1]!r}, which journeys have already: rename it"
            )
        if name in _OURS:
            raise JourneyError(f"{body.__name__} has {name!r}, which journeys have already: rename it")
    found: Callable[..., Any] = marked[0]
    return found


def _defined(member: Any) -> tuple[str, str | None]:
    """Return a handler's kind and its name; an empty kind if the method is not a handler."""
    for kind in ("signal", "query"):
        definition = getattr(member, f"__temporal_{kind}_definition", None)
        if definition is not None:
            return kind, definition.name
    return "", None


def _check_signature(body: type, method: Callable[..., Any], entry: type[Event]) -> None:
    """Check the annotations of the journey's method, as far as they can be evaluated.

    Raises:
        JourneyError: They are wrong.
    """
    try:
        hints = get_type_hints(method)
    except Exception:
        return
    argument = list(inspect.signature(method).parameters)[1]
    given = hints.get(argument)
    if isinstance(given, type) and issubclass(given, Event) and not issubclass(entry, given):
        raise JourneyError(
            f"{body.__name__}.{method.__name__} takes a {given.__name__}, and its journey is entered by "
            f"{entry.__name__}: write entry={given.__name__}, or {argument}: {entry.__name__}"
        )
    result = hints.get("return", str)
    if not {*(get_args(result) or (result,))} <= {str, type(None)}:
        raise JourneyError(
            f"{body.__name__}.{method.__name__} returns {getattr(result, '__name__', result)}: a journey returns its "
            "outcome, a text, or nothing: -> str, -> str | None or -> None"
        )


def _equip(body: type, settings: JourneySettings) -> None:
    """Add what Temporal requires of a workflow class: a run method, an initializer, Sojourn's handlers."""
    original: Any = None if body.__init__ is object.__init__ else body.__init__  # type: ignore[misc]
    if original is not None and hasattr(original, "__sojourn_original__"):
        original = original.__sojourn_original__
    if original is not None and len(inspect.signature(original).parameters) != 1:
        raise JourneyError(
            f"{body.__name__}.__init__ must take nothing but self: Temporal creates the object"
        )

    def initialize(self: Any, *start: Any) -> None:
        prepare(self, start, code=settings.name)
        runtime.attach(self, settings)
        if original is not None:
            original(self)

    async def main(self: Any, *start: Any) -> dict[str, Any]:
        return await runtime.run(self, settings)

    for function, name in ((initialize, "__init__"), (main, "__sojourn_main__")):
        function.__name__, function.__module__ = name, body.__module__
        function.__qualname__ = f"{body.__qualname__}.{name}"
    initialize.__sojourn_original__ = original  # type: ignore[attr-defined]
    body.__init__ = workflow.init(initialize)  # type: ignore[misc]
    body.__sojourn_main__ = workflow.run(main)  # type: ignore[attr-defined]
    for name, handler in _HANDLERS.items():
        setattr(body, f"__sojourn_{name}__", handler)
