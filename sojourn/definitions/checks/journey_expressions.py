"""Checks of the expressions of events, endpoints and journeys, each with what it may name."""

from __future__ import annotations

import re
from functools import partial

from sojourn.definitions.checks import scopes
from sojourn.definitions.checks.endpoint import sent_values
from sojourn.definitions.checks.expressions import Inspect, Report, check_expression, check_template
from sojourn.definitions.checks.graph import reachable
from sojourn.definitions.checks.scopes import Scope
from sojourn.definitions.checks.step_context import StepExpressions
from sojourn.definitions.codes import Code
from sojourn.definitions.documents.contents import ReadEndpoint, ReadEvent
from sojourn.definitions.documents.reading import Reading, ReadJourney
from sojourn.definitions.problems import Path, a, choose
from sojourn.definitions.steps import KINDS
from sojourn.definitions.steps.exits import Exit
from sojourn.expressions import ANY, STRING, Expression
from sojourn.expressions import compile as compile_expression

*_OTHERS, _LAST = (kind for kind, model in KINDS.items() if model.leaves_result)
_ONLY = f"Only {', '.join(_OTHERS)} and {_LAST} steps have one."


def check_event_expressions(event: ReadEvent, reading: Reading) -> None:
    """Report what is wrong with the key and the rule of an event."""
    model = event.model
    if model is None:
        return
    scope = {"event": scopes.event_type(model.name, reading)}
    check_expression(model.key, event.source, ("key",), scope, scopes.KEY)
    if model.when is not None:
        check_expression(model.when, event.source, ("when",), scope)


def check_endpoint_expressions(endpoint: ReadEndpoint) -> None:
    """Report what is wrong with the templates of a source or an action."""
    model, source = endpoint.model, endpoint.source
    if model is None or model.python is not None:
        return
    scope = scopes.of_parameters(model)
    before = len(source.failed)
    for name, value in sent_values(model).items():
        if isinstance(value, dict):
            for key, item in value.items():
                if name == "body" or isinstance(item, str):
                    check_template(item, source, (name, key), scope)
        elif value is not None:
            check_template(value, source, (name,), scope)
    if len(source.failed) > before or (model.method != "GET" and model.body is None and model.form is None):
        return
    for name in model.rest_parameters() if model.method not in ("GET", "DELETE") else ():
        source.report(
            Code.UNUSED_PARAMETER,
            ("parameters", name),
            f"The parameter `{name}` is sent nowhere",
            f'Name it in the URL as {{{name}}}, or in query, headers or body as "${{{name}}}"; or remove it.',
            key=True,
        )


def check_journey_expressions(journey: ReadJourney, reading: Reading, links: dict[str, list[Exit]]) -> None:
    """Report what is wrong with the expressions and templates of a journey.

    Args:
        journey: The journey.
        reading: All that was read.
        links: The ways out of each of its steps.
    """
    _Journey(journey, reading, links).check()


class _Journey:
    """Checks one journey's expressions."""

    def __init__(self, journey: ReadJourney, reading: Reading, links: dict[str, list[Exit]]) -> None:
        self.journey = journey
        self.reading = reading
        self.links = links
        self.source = journey.source
        self.scope = scopes.of_journey(journey, reading)
        self.received = scopes.received(journey)
        self.after: dict[str, set[str]] = {}

    def check(self) -> None:
        head = self.journey.head
        if head is not None:
            check_template(
                head.timezone, self.source, ("timezone",), self.scope, STRING, self._inspector(None, False)
            )
            if head.entry.per is not None:
                self._second_key(head.entry.per, head.entry.event)
            for index, criterion in enumerate(head.exit_when):
                self._event_when(criterion.when, criterion.event, ("exit_when", index, "when"))
        for name, step in self.journey.steps.items():
            if step is not None:
                step.check_expressions(self._of_step(name))

    def _second_key(self, per: str, entry: str) -> None:
        """Check the second key against the entry event, and what it yields of the other events that have it."""
        path, before = ("entry", "per"), len(self.source.failed)
        scope = {"event": scopes.event_type(entry, self.reading)}
        check_expression(per, self.source, path, scope, scopes.SECOND_KEY)
        if len(self.source.failed) > before:
            return
        for name in sorted(self.received - {entry}):
            found = compile_expression(per).check(
                {"event": scopes.event_type(name, self.reading)}, scopes.SECOND_KEY
            )
            # An event whose schema has no such field carries no value; that is allowed.
            wrong = [finding for finding in found if not finding.unknown]
            if wrong and len(wrong) == len(found):
                message = f"Of the event `{name}` this is no key: {wrong[0].message}"
                hint = "Write an expression that yields a text or a number of each event that has one."
                self.source.report(Code.WRONG_TYPE, path, message, hint)

    def _of_step(self, name: str) -> StepExpressions:
        return StepExpressions(self.journey, name, self.reading, self.scope, partial(self._inspector, name))

    def _event_when(self, when: str | None, event: str, path: Path) -> None:
        if when is None:
            return
        scope = {**self.scope, "event": scopes.event_type(event, self.reading)}
        check_expression(when, self.source, path, scope, inspect=self._inspector(None, True))

    # What the checker of expressions cannot know -----------------------------------------------------------

    def _inspector(self, step: str | None, has_event: bool) -> Inspect:
        def inspect(expression: Expression, report: Report) -> Scope | None:
            known: Scope = {}
            for root in dict.fromkeys(path[0] for path in expression.paths if path):
                if root == "event" and not has_event:
                    known["event"] = ANY
                    hint = 'Use `entry`, the event that started the instance, or events["NAME"], the last of a kind.'
                    message = "There is no `event` here, only where one arrives: in `when` of wait_for and exit_when"
                    report(Code.UNKNOWN_NAME, _position(expression, "event"), message, hint)
            if not self._check_steps(expression, step, report):
                return None
            self._check_events(expression, report)
            if self._loose_steps(expression):
                known["steps"] = ANY
            if self._loose_events(expression):
                known["events"] = ANY
            return known

        return inspect

    def _loose_steps(self, expression: Expression) -> bool:
        """Whether a step is named of which a problem was reported already."""
        return any(not self._leaves_result(name) for name in _second(expression, "steps"))

    def _loose_events(self, expression: Expression) -> bool:
        return any(name not in self.received for name in _second(expression, "events"))

    def _leaves_result(self, name: str) -> bool:
        step = self.journey.steps.get(name)
        return step is not None and step.leaves_result

    def _check_steps(self, expression: Expression, step: str | None, report: Report) -> bool:
        """Report steps that an expression names in vain; False if nothing more is worth saying about it."""
        for name in _second(expression, "steps"):
            position = _position(expression, name)
            if name not in self.journey.steps:
                # steps.await-order is read as a subtraction.
                cut = [known for known in self.journey.steps if known.startswith(f"{name}-")]
                if cut and re.search(rf"\bsteps\.{re.escape(name)}\s*-", expression.source):
                    message = f"There is no step `{name}`; `-` here means to subtract"
                    report(Code.NO_RESULT, position, message, f'Write steps["{cut[0]}"].')
                    return False
                hint = choose(name, [known for known in self.journey.steps if self._leaves_result(known)])
                report(Code.NO_RESULT, position, f"There is no step `{name[:80]}` in this journey", hint)
            elif (found := self.journey.steps[name]) is not None and not found.leaves_result:
                message = f"The step `{name}` has no result: it is {a(found.kind)} step"
                report(Code.NO_RESULT, position, message, _ONLY)
            elif step is not None and step not in self._reached_after(name):
                message = f"The step `{name}` never comes before this one, so it has no result here"
                report(Code.NEVER_BEFORE, position, message, "Change the order, or name another step.")
        return True

    def _reached_after(self, step: str) -> set[str]:
        if step not in self.after:
            found: set[str] = set()
            for way in self.links[step]:
                if way.target in self.links and way.target is not None:
                    found |= reachable(self.links, way.target)
            self.after[step] = found
        return self.after[step]

    def _check_events(self, expression: Expression, report: Report) -> None:
        for name in _second(expression, "events"):
            if name in self.received or self.reading.broken:
                continue
            position = _position(expression, name)
            if name in self.reading.events:
                message = f"This journey never receives the event `{name}`"
                hint = (
                    "Wait for it in a wait_for step, or name one of " + ", ".join(sorted(self.received)) + "."
                )
            else:
                message = f"There is no event `{name[:80]}`"
                hint = choose(name, sorted(self.received), "event")
                if "." not in name and any(known.startswith(f"{name}.") for known in self.received):
                    full = next(known for known in sorted(self.received) if known.startswith(f"{name}."))
                    hint = f'A name with a dot stands in brackets: events["{full}"].'
            report(Code.UNKNOWN_EVENT, position, message, hint)


def _second(expression: Expression, root: str) -> list[str]:
    """Return the names that follow a root in an expression's paths, each once."""
    found = [str(path[1]) for path in expression.paths if len(path) > 1 and path[0] == root]
    return list(dict.fromkeys(found))


def _position(expression: Expression, name: str) -> int:
    """Return where a name first stands in an expression."""
    found = re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", expression.source) or re.search(
        rf"(?<!\w){re.escape(name)}(?!\w)", expression.source
    )
    return found.start() if found else 0
