"""Many small requests at once, one transaction: group commit for callers that know nothing of each other."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from sojourn.store.errors import StoreUnavailable

Request = TypeVar("Request")
Answer = TypeVar("Answer")


class Coalescer(Generic[Request, Answer]):
    """Collects what is asked while the last batch is being worked on, and works on it as the next batch.

    A lone request is not delayed: a batch is whatever has come in by the time there is room for one.
    """

    def __init__(
        self, work: Callable[[Sequence[Request]], Awaitable[Sequence[Answer]]], *, limit: int = 500
    ) -> None:
        """Keep the work to do.

        Args:
            work: Takes a batch, returns as many answers in the same order. All of it happens, or nothing.
            limit: Most requests in one batch.
        """
        self._work = work
        self._limit = limit
        self._waiting: deque[tuple[Request, asyncio.Future[Answer]]] = deque()
        self._task: asyncio.Task[None] | None = None

    async def submit(self, request: Request) -> Answer:
        """Return the answer to one request.

        Raises:
            StoreUnavailable: The batch could not be worked on; nothing of it happened, as far as is known.
        """
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        return await future

    async def close(self) -> None:
        """Wait until everything that was asked is answered."""
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(self._limit, len(self._waiting)))]
            await self._answer([pair for pair in batch if not pair[1].done()])

    async def _answer(self, batch: list[tuple[Request, asyncio.Future[Answer]]]) -> None:
        if not batch:
            return
        try:
            answers = await self._work([request for request, _ in batch])
        except Exception as error:
            if len(batch) > 1 and not isinstance(error, StoreUnavailable):
                # One request that the database cannot take must not spoil those of others.
                for pair in batch:
                    await self._answer([pair])
                return
            for _, future in batch:
                if not future.done():
                    # Each waiter needs an exception of its own: a shared one would collect their tracebacks.
                    future.set_exception(
                        StoreUnavailable(str(error)) if isinstance(error, StoreUnavailable) else error
                    )
            return
        for (_, future), answer in zip(batch, answers, strict=True):
            if not future.done():
                future.set_result(answer)
