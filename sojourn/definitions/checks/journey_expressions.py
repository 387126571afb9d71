"""Checks of the expressions of events, endpoints and journeys, each with what it may name."""

from __future__ import annotations

import re

from sojourn.definitions.checks import scopes
from sojourn.definitions.checks.endpoint import sent_values
from sojourn.definitions.checks.expressions import Inspect, Report, check_expression, check_template
from sojourn.definitions.checks.graph import Exit, reachable
from sojourn.definitions.checks.json_schema import validator
from sojourn.definitions.checks.jumps import check_data
from sojourn.definitions.checks.profile_usage import check_update
from sojourn.definitions.checks.scopes import Scope
from sojourn.definitions.codes import Code
from sojourn.definitions.documents.reading import ReadEndpoint, ReadEvent, Reading, ReadJourney
from sojourn.definitions.problems import Path, a, choose
from sojourn.definitions.steps import (
    ActionStep,
    ConditionStep,
    EndStep,
    FetchStep,
    JumpStep,
    SetStep,
    Step,
    UpdateProfileStep,
    WaitForStep,
    WaitStep,
)
from sojourn.expressions import ANY, NULL, STRING, Expression, Type, compile_template, from_json_schema, union
from sojourn.expressions import compile as compile_expression


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
                self._event_when(criterion.when, criterion.event, ("exit_when", index, "when"), None)
        for name, step in self.journey.steps.items():
            if step is not None:
                self._step(name, step, ("steps", name))

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

    def _step(self, name: str, step: Step, path: Path) -> None:
        if isinstance(step, WaitForStep):
            for index, event in enumerate(step.wait_for):
                self._event_when(event.when, event.event, (*path, "wait_for", index, "when"), name)
            if step.timeout is not None and isinstance(step.timeout.after, str):
                self._template(step.timeout.after, name, (*path, "timeout", "after"), scopes.SPAN)
        elif isinstance(step, WaitStep):
            if isinstance(step.wait.for_, str):
                self._template(step.wait.for_, name, (*path, "wait", "for"), scopes.SPAN)
            if step.wait.until is not None and "${" in step.wait.until:
                self._template(step.wait.until, name, (*path, "wait", "until"), scopes.MOMENT)
        elif isinstance(step, ConditionStep):
            for index, branch in enumerate(step.condition):
                where = (*path, "condition", index, "when")
                inspect = self._inspector(name, False)
                check_expression(branch.when, self.source, where, self.scope, inspect=inspect)
        elif isinstance(step, FetchStep):
            self._call(f"source:{step.fetch}", step, name, path)
        elif isinstance(step, ActionStep):
            self._call(f"action:{step.action}", step, name, path)
        else:
            self._values(name, step, path)

    def _values(self, name: str, step: Step, path: Path) -> None:
        """Check the templates of steps that take any values."""
        if isinstance(step, SetStep):
            self._template(step.set, name, (*path, "set"))
        elif isinstance(step, UpdateProfileStep):
            known = (scopes.profile_type(self.reading), scopes.profile_schema(self.reading))
            where = (*path, "update_profile")
            check_update(
                step.update_profile,
                self.source,
                where,
                known,
                lambda value, at, expected: self._template(value, name, at, expected),
            )
        elif isinstance(step, JumpStep):
            check_data(
                self.journey,
                path,
                step,
                self.reading,
                lambda value, at, expected: self._template(value, name, at, expected),
            )
        elif isinstance(step, EndStep) and step.end is not None:
            self._template(step.end, name, (*path, "end"))

    def _event_when(self, when: str | None, event: str, path: Path, step: str | None) -> None:
        if when is None:
            return
        scope = {**self.scope, "event": scopes.event_type(event, self.reading)}
        check_expression(when, self.source, path, scope, inspect=self._inspector(step, True))

    def _template(self, value: object, step: str, path: Path, expected: Type | None = None) -> None:
        check_template(value, self.source, path, self.scope, expected, self._inspector(step, False))

    def _call(self, endpoint: str, step: FetchStep | ActionStep, name: str, path: Path) -> None:
        read = self.reading.endpoints.get(endpoint)
        parameters = read.model.parameters if read and read.model else {}
        for parameter, value in step.with_.items():
            where = (*path, "with", parameter)
            schema = parameters.get(parameter)
            if schema is None or (read and ("parameters", parameter) in read.source.failed):
                self._template(value, name, where)
                continue
            before = len(self.source.failed)
            # One that may be left out may be null as well: it is then sent as null.
            nullable = (
                read is not None
                and read.model is not None
                and parameter not in read.model.required_parameters
            )
            expected = from_json_schema(schema)
            self._template(value, name, where, union(expected, NULL) if nullable else expected)
            if len(self.source.failed) == before and not (nullable and value is None):
                self._constant(parameter, value, schema, where)

    def _constant(self, parameter: str, value: object, schema: dict[str, object], path: Path) -> None:
        """Check a value without expressions against the whole schema of its parameter."""
        try:
            template = compile_template(value)
            if not template.constant:
                return
            found = next(iter(validator(schema).iter_errors(template.evaluate({}))), None)
        except ValueError:
            return
        if found is not None:
            message = f"The value does not fit the parameter `{parameter}`"
            said = str(found.message)[:200]
            self.source.report(
                Code.WRONG_TYPE, (*path, *found.instance_path), message, f"Its schema says: {said}."
            )

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
        return isinstance(self.journey.steps.get(name), scopes.RESULTS)

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
            elif (found := self.journey.steps[name]) is not None and not isinstance(found, scopes.RESULTS):
                message = f"The step `{name}` has no result: it is {a(found.kind)} step"
                report(Code.NO_RESULT, position, message, "Only fetch, action and set steps have one.")
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
