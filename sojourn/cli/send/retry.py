"""Sending batches through the API until each thing has its answer, trying again where that can help."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from sojourn.cli.api_client import ApiRefusedError, ApiUnreachableError

DEFAULT_PAUSE = 2.0
"""Seconds between two attempts where the API names no time."""

T = TypeVar("T")


class PatientSender(Generic[T]):
    """Sends batches of one kind of thing. What was taken although the answer got lost must do no harm next time."""

    def __init__(
        self,
        post: Callable[[list[T]], dict[str, Any]],
        settle: Callable[[T, dict[str, Any]], bool],
        *,
        patience: float,
        notify: Callable[[str], None],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Prepare to send.

        Args:
            post: Makes one request; returns the answer, whose `results` has one for each thing, in order.
            settle: Takes note of one result; returns whether it is final. What has none is sent again.
            patience: Seconds for which a batch is tried again while the API or what it needs is away.
            notify: Called with a sentence when there is something to wait for.
            sleep: Waits for some seconds.
        """
        self._post = post
        self._settle = settle
        self._patience = patience
        self._notify = notify
        self._sleep = sleep
        self._answered = False

    def send(self, items: list[T]) -> None:
        """Send a batch until each of its things has its final answer; in halves where it is too large for the API.

        Raises:
            ApiUnreachableError: Nothing answered for as long as the patience lasts; at once if nothing ever did.
            ApiRefusedError: The whole request is refused, or the API stayed unavailable for that long.
        """
        deadline = time.monotonic() + self._patience
        while items:
            try:
                answer = self._post(items)
            except ApiRefusedError as error:
                if error.status == 413 and len(items) > 1:
                    middle = len(items) // 2
                    self.send(items[:middle])
                    self.send(items[middle:])
                    return
                if error.status < 500 and error.status != 429:
                    raise
                items = self._left(items, error.problem.get("results"))
                self._wait(error, error.retry_after, deadline)
            except ApiUnreachableError as error:
                if not self._answered and "nothing answers" in str(error):
                    raise
                self._wait(error, None, deadline)
            else:
                items = self._left(items, answer["results"])
                if items:
                    self._wait(ApiUnreachableError("some of a batch were not taken"), None, deadline)

    def _left(self, items: list[T], results: object) -> list[T]:
        """Take note of the answers; return what has no final one."""
        if not isinstance(results, list) or len(results) != len(items):
            return items
        left = [item for item, result in zip(items, results, strict=True) if not self._settle(item, result)]
        self._answered = self._answered or len(left) < len(items)
        return left

    def _wait(
        self, error: ApiRefusedError | ApiUnreachableError, pause: float | None, deadline: float
    ) -> None:
        pause = DEFAULT_PAUSE if pause is None else pause
        if time.monotonic() + pause > deadline:
            raise error
        self._notify(f"{error}. Trying again in {pause:g} s.")
        self._sleep(pause)
