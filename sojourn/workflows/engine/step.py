"""A visit of one step, from its beginning to its record in the trace."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Self

from sojourn.workflows.engine.endings import StepError, TooManyVisits

if TYPE_CHECKING:
    from sojourn.workflows.engine.instance import Instance


class Step:
    """A visit of a step, as the context of the code that does the step.

        async with instance.step("remind", "action") as step:
            step.result = ...

    It begins once a step may begin: not while the instance is paused or an exit is being decided. When the block is
    left, the step is recorded. A `StepError` is kept as the last error and goes on to the caller. Nothing is recorded
    if anything else ends the block, such as an exit or a new run.

    Args:
        instance: The instance.
        name: The step's id.
        kind: Its kind.
        on_error: The step that follows after an error; None if there is no error path.

    Attributes:
        name: The step's id.
        result: The result in a few words, without a customer's data; set by the code in the block.
        following: The next step; None after the last one, or if it is not known yet.
    """

    def __init__(self, instance: Instance, name: str, kind: str, on_error: str | None) -> None:
        self._instance = instance
        self._kind = kind
        self._on_error = on_error
        self.name = name
        self.result = ""
        self.following: str | None = None

    async def __aenter__(self) -> Self:
        """Begin the visit.

        Raises:
            TooManyVisits: The step was visited too often; recorded, without an error path.
            TimedOut: The instance reached the end of its own time.
            asyncio.CancelledError: An exit came.
            temporalio.workflow.ContinueAsNewError: Temporal suggested a new run.
        """
        await self._instance.proceed()
        self._instance.next_run.begin_if_suggested()
        self.begin()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Record the step."""
        if error is None:
            self.end()
        elif isinstance(error, StepError):
            self._fail(error, self._on_error)

    def begin(self) -> None:
        """Begin the visit at once."""
        try:
            if self._instance.state.come_to(self.name, self._kind):
                self._instance.next_run.allow()
        except TooManyVisits as error:
            # Without the error path: it may lead back here.
            self._fail(error, None)
            raise

    def end(self) -> None:
        """Record the step as passed."""
        self._instance.state.leave(self._kind, self.result, self.following)

    def _fail(self, error: StepError, following: str | None) -> None:
        self._instance.state.fail(self.name, error)
        self._instance.state.leave(self._kind, f"error {error.code}: {error.message}", following)
