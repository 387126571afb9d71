"""The workflow type `sojourn.Journey`: interprets the compiled definition in its input."""

from __future__ import annotations

from typing import Any

from temporalio import workflow

from sojourn.contract import names
from sojourn.workflows import moving
from sojourn.workflows.engine import details, messages, snapshot
from sojourn.workflows.engine.endings import Ending
from sojourn.workflows.engine.instance import Instance
from sojourn.workflows.interpreter import Interpreter
from sojourn.workflows.start import prepare

_NO_INSTANCE = {"code": "ended", "message": "its start input is invalid"}


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
            raise messages.bad_input(self._problem or messages.BadMessage("there is none"))
        return await self._instance.run(Interpreter(self._instance).run)

    @workflow.signal(
        name=names.SIGNAL_EVENT,
        description='An event for this instance: {"id", "name", "time", "data"}. An id counts once.',
    )
    def event(self, *message: Any) -> None:
        """Receive an event. An invalid one is noted in the trace and ignored."""
        if self._instance is None:
            return
        try:
            event = messages.parse_event(messages.only(message))
        except messages.BadMessage as problem:
            self._instance.state.note(f"a signal `event` was ignored: {problem}")
            return
        self._instance.receive(event)

    @workflow.signal(
        name=names.SIGNAL_PAUSE,
        description="Pauses this instance before its next step, until it is resumed. No input.",
    )
    def pause(self, *at: Any) -> None:
        """Pause the instance before its next step."""
        _apply_pause(self._instance, True, at)

    @workflow.signal(
        name=names.SIGNAL_RESUME,
        description="Resumes this instance if it was paused itself, not with its journey. No input.",
    )
    def resume(self, *at: Any) -> None:
        """Resume the instance."""
        _apply_pause(self._instance, False, at)

    @workflow.signal(
        name=names.SIGNAL_EXIT, description="Ends this instance at once as exited. Input: the reason, a text."
    )
    def exit(self, *reason: Any) -> None:
        """End the instance at once, whatever it does."""
        if self._instance is not None:
            self._instance.state.clock.observe(*reason[1:])
            text = reason[0] if reason and isinstance(reason[0], str) else "signal exit"
            self._instance.arrivals.enqueue(Ending("exited", text))

    @workflow.update(
        name=names.UPDATE_MOVE,
        description='Continues in another version from the wait at which this instance is: {"definition"}.',
    )
    def move(self, *message: Any) -> dict[str, Any]:
        """Continue in a newer version; the instance's wait begins a new run with it."""
        assert self._instance is not None
        self._instance.state.clock.observe(message[0].get("at"))
        new = moving.read(message)
        self._instance.next_run.version = new
        return moving.described(self._instance) | {"to": new["version"]}

    @move.validator
    def check_move(self, *message: Any) -> None:
        """Reject a move that is not possible: nothing of it gets into the history."""
        if self._instance is None:
            raise messages.bad_input(self._problem or messages.BadMessage("there is none"))
        found = moving.obstacle(self._instance, message)
        if found is not None:
            raise moving.refusal(self._instance, found)

    @workflow.query(
        name=names.QUERY_MOVABLE,
        description='Whether this instance could continue in another version: {"definition"}; null or the obstacle.',
    )
    def movable(self, *message: Any) -> dict[str, Any]:
        """Return `{profile, version, obstacle}`; the obstacle is null if the instance could be moved."""
        if self._instance is None:
            return {"profile": None, "version": None, "obstacle": _NO_INSTANCE}
        found = moving.obstacle(self._instance, message)
        shown = None if found is None else {"code": found.code, "message": found.message}
        return moving.described(self._instance) | {"obstacle": shown}

    @workflow.query(
        name=names.QUERY_STATE, description="Where this instance is, what it waits for, and its steps so far."
    )
    def state(self) -> dict[str, Any]:
        """Return the instance's state, see `snapshot.take`; empty if the start input was invalid."""
        return snapshot.take(self._instance) if self._instance is not None else {}


def _apply_pause(instance: Instance | None, pause: bool, message: tuple[Any, ...]) -> None:
    # A function and not a method: the classes of Python journeys get the handlers, but not the methods beside them.
    if instance is not None:
        instance.state.clock.observe(*message)
        instance.state.pauses.apply(pause, message, instance.definition["version"])
        details.show(instance)
