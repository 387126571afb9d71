"""The next run of an instance: continue-as-new, in the same version of the journey or in a newer one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from temporalio import workflow
from temporalio.common import SearchAttributeKey, SearchAttributePair

from sojourn.contract import names
from sojourn.workflows.engine import limits

if TYPE_CHECKING:
    from sojourn.workflows.engine.instance import Instance

_VERSION = SearchAttributeKey.for_int(names.SEARCH_VERSION)


class NextRun:
    """Begins the next run of an instance when it is time for one.

    Args:
        instance: The instance.

    Attributes:
        version: The definition in which the instance is to continue from its wait; None if it is not being moved.
    """

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self.version: dict[str, Any] | None = None
        self._too_large = False

    def may_begin(self) -> bool:
        """Return whether Temporal suggests a new run, and this one can be left now."""
        instance = self._instance
        # The history alone knows how far a Python journey's code is: such a journey begins its new runs itself.
        if self._too_large or "workflow" in instance.definition or instance.arrivals.holding:
            return False
        info = workflow.info()
        if not info.is_continue_as_new_suggested():
            return False
        # A burst that still fits in this run's history may not fit in what is carried: the waits take it first.
        return instance.arrivals.fit_in_inbox() or info.get_current_history_length() > limits.HISTORY_EVENTS

    def begin_if_suggested(self) -> None:
        """Begin a new run with all that this one knows, if Temporal suggests it.

        Raises:
            temporalio.workflow.ContinueAsNewError: The new run.
        """
        arrivals = self._instance.arrivals
        # Arrivals take effect in their order, before anything is carried over.
        if arrivals.ending is not None or arrivals or not self.may_begin():
            return
        carried = self._instance.state.carry()
        if carried is None:
            # Not tried again before the next step: this run's history has room for ten times as many events.
            self._too_large = True
            return
        workflow.continue_as_new(carried)

    def allow(self) -> None:
        """Allow a new run again, after one was too large: the instance came to another step."""
        self._too_large = False

    async def begin_in_version(self) -> None:
        """Begin a new run in the version to which the instance is being moved, if it is.

        Raises:
            asyncio.CancelledError: An exit came before that.
            temporalio.workflow.ContinueAsNewError: The new run.
        """
        instance, state, new = self._instance, self._instance.state, self.version
        if new is None:
            return
        # What came in the same workflow task comes first: an exit takes effect, the new wait gets everything else.
        instance.arrivals.check_ended()
        while instance.arrivals or instance.arrivals.holding:
            await instance.arrivals.decided()
            instance.arrivals.check_ended()
        old, here = state.definition, state.position
        self.version, state.definition = None, new
        if here.waiting_for:
            here.waiting_for = [listen["event"] for listen in new["steps"][here.step]["events"]]
        now = instance.now()
        words = f"from version {old['version']} to version {new['version']}"
        state.trace.add(
            step=str(here.step),
            kind="move",
            visit=here.visit,
            began=now,
            ended=now,
            result=words,
            following=here.step,
        )
        carried = state.carry()
        if carried is None:
            # Only what came in this very task can have made it too large: it fitted when the move was accepted.
            state.definition = old
            state.note(f"could not be moved {words}: it is too large")
            return
        _continue_in_version(carried, new["version"])


def _continue_in_version(carried: dict[str, Any], version: int) -> None:
    memo = workflow.memo()
    attributes = workflow.info().typed_search_attributes
    workflow.continue_as_new(
        carried,
        memo={**memo, names.MEMO_VERSION: version} if memo else None,
        search_attributes=attributes.updated(SearchAttributePair(_VERSION, version))
        if attributes.get(_VERSION) is not None
        else None,
    )
