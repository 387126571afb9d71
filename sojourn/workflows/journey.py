"""The workflow type `sojourn.Journey`: interprets the compiled definition that comes in its input."""

from __future__ import annotations

from typing import Any

from temporalio import workflow

from sojourn.contract import names
from sojourn.workflows import moving
from sojourn.workflows.engine import details, messages, snapshot
from sojourn.workflows.engine.endings import Ending
from sojourn.workflows.engine.instance import Instance
from sojourn.workflows.interpreter import Interpreter


@workflow.defn(name=names.WORKFLOW_JOURNEY)
class Journey:
    """One profile's run through a journey that was defined as YAML.

    Its input is one JSON object `{definition, event, key}`, see `sojourn.workflows.engine.messages.StartMessage`.
    """

    @workflow.init
    def __init__(self, *start: Any) -> None:
        self._instance: Instance | None = None
        self._problem: messages.BadMessage | None = None
        prepare(self, start)

    @workflow.run
    async def run(self, *start: Any) -> dict[str, Any]:
        """Run to the end.

        Returns:
            `{journey, version, profile, outcome, text, entered_at, ended_at, dropped, steps}`.

        Raises:
            temporalio.exceptions.ApplicationError: The input is bad (`sojourn.BadInput`), or the instance failed
                (`sojourn.JourneyFailed`, with the result in its details).
        """
        if self._instance is None:
            raise messages.bad_input(self._problem or messages.BadMessage("none came"))
        return await self._instance.run(Interpreter(self._instance).run)

    @workflow.signal(
        name=names.SIGNAL_EVENT,
        description='An event for this instance: {"id", "name", "time", "data"}. An id counts once.',
    )
    def event(self, *message: Any) -> None:
        """Take an event; one that is none is recorded in the trace and ignored."""
        if self._instance is None:
            return
        try:
            event = messages.parse_event(messages.only(message))
        except messages.BadMessage as problem:
            self._instance.note(f"a signal `event` was ignored: {problem}")
            return
        self._instance.receive(event)

    @workflow.signal(
        name=names.SIGNAL_PAUSE,
        description="Freezes this instance before its next step, until it is resumed. No input.",
    )
    def pause(self, *at: Any) -> None:
        """Let the instance begin no further step until it is resumed."""
        if self._instance is not None:
            self._instance.clock.told(*at)
            self._instance.holds.told(True, at, self._instance.definition["version"])
            details.show(self._instance)

    @workflow.signal(
        name=names.SIGNAL_RESUME,
        description="Lets an instance go on that was paused by itself. No input.",
    )
    def resume(self, *at: Any) -> None:
        """Let a paused instance go on."""
        if self._instance is not None:
            self._instance.clock.told(*at)
            self._instance.holds.told(False, at, self._instance.definition["version"])
            details.show(self._instance)

    @workflow.signal(
        name=names.SIGNAL_EXIT, description="Ends this instance at once as exited. Input: the reason, a text."
    )
    def exit(self, *reason: Any) -> None:
        """End the instance at once, in the middle of whatever it does."""
        if self._instance is not None:
            self._instance.clock.told(*reason[1:])
            text = reason[0] if reason and isinstance(reason[0], str) else "signal exit"
            self._instance.arrive(Ending("exited", text))

    @workflow.update(
        name=names.UPDATE_MOVE,
        description='Goes on in another version from the wait at which this instance stands: {"definition"}.',
    )
    def move(self, *message: Any) -> dict[str, Any]:
        """Let the instance go on in a newer version; its wait begins a new run with it."""
        assert self._instance is not None
        self._instance.clock.told(message[0].get("at"))
        self._instance.moving = moving.read(message)
        return moving.told(self._instance) | {"to": self._instance.moving["version"]}

    @move.validator
    def check_move(self, *message: Any) -> None:
        """Refuse a move that is not possible: nothing of it gets into the history."""
        if self._instance is None:
            raise messages.bad_input(self._problem or messages.BadMessage("none came"))
        found = moving.obstacle(self._instance, message)
        if found is not None:
            raise moving.refusal(self._instance, found)

    @workflow.query(
        name=names.QUERY_MOVABLE,
        description='Whether this instance could go on in another version: {"definition"}; null, or why not.',
    )
    def movable(self, *message: Any) -> dict[str, Any]:
        """Return `{profile, version, obstacle}`; the obstacle is null where the instance could be moved."""
        if self._instance is None:
            return {"profile": None, "version": None, "obstacle": {"code": "ended", "message": "it is none"}}
        found = moving.obstacle(self._instance, message)
        shown = None if found is None else {"code": found.code, "message": found.message}
        return moving.told(self._instance) | {"obstacle": shown}

    @workflow.query(
        name=names.QUERY_STATE, description="Where this instance is, what it waits for, and its steps so far."
    )
    def state(self) -> dict[str, Any]:
        """Return the instance's state, see `snapshot.state`; empty where the input was bad."""
        return snapshot.state(self._instance) if self._instance is not None else {}


def prepare(host: Any, start: tuple[Any, ...], *, code: str | None = None) -> None:
    """Give a workflow object its instance as `_instance`, or what is wrong with its input as `_problem`.

    Args:
        host: The object, of `Journey` or of an author's class.
        start: What the workflow was started with.
        code: The workflow type of a journey that is code; nothing for one that is interpreted.
    """
    host._instance, host._problem = None, None
    try:
        message = messages.parse_start(messages.only(start))
        if (wanted := message.definition.get("workflow")) != code:
            kind = "is to be interpreted" if wanted is None else f"is code, of the workflow type {wanted}"
            raise messages.BadMessage(
                f"this journey {kind}, and was started as {workflow.info().workflow_type}"
            )
        host._instance = Instance(message)
    except messages.BadMessage as problem:
        host._problem = problem
