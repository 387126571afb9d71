"""What a function may ask about the call that it serves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta

_current: ContextVar[Context] = ContextVar("sojourn_function_call")


@dataclass(frozen=True)
class Context:
    """The call that a function serves.

    Attributes:
        name: The source's or action's name.
        idempotency_key: The same for every attempt of one call of an action; None in sources, which have no effect.
        journey: The journey's name; None outside of any journey.
        step: The step's id; None outside of any journey.
        instance: The workflow id of the instance; None outside of any journey. Where several instances share a
            look-up, the first of them.
        attempt: Which attempt this is, from 1.
        deadline: End of the window, as `time.monotonic` counts.
        secrets: What gives secrets by name; functions use `secret()`.
    """

    name: str
    idempotency_key: str | None = None
    journey: str | None = None
    step: str | None = None
    instance: str | None = None
    attempt: int = 1
    deadline: float = field(default=float("inf"), repr=False)
    secrets: Callable[[str], str] | None = field(default=None, repr=False, compare=False)

    @property
    def remaining(self) -> timedelta:
        """What is left of the window, in which all attempts of the call must fit; never negative."""
        return timedelta(seconds=min(max(0.0, self.deadline - time.monotonic()), 86_400.0))

    def secret(self, name: str) -> str:
        """Return a secret of the deployment. It is masked wherever the call's result or error is shown.

        Args:
            name: Its name; `SOJOURN_SECRETS` must list it.

        Raises:
            Exception: It cannot be had. Let it pass: the call is then `refused`, with a message that says why.
        """
        if self.secrets is None:
            raise RuntimeError(f"there are no secrets here, so {name} cannot be had")
        return self.secrets(name)


def context() -> Context:
    """Return the call that the running function serves.

    Raises:
        RuntimeError: None is served: the function was called directly, as in a unit test. There, wrap the call in
            `with entered(Context(...))`.
    """
    try:
        return _current.get()
    except LookupError:
        raise RuntimeError(
            "no call is being served: context() works inside of functions that Sojourn calls. "
            "In a test, call the function within `with action.entered(action.Context(name=...)):`"
        ) from None


@contextmanager
def entered(current: Context) -> Iterator[Context]:
    """Make a context the current one, for the functions called inside the `with` block.

    Args:
        current: What `context()` returns there.
    """
    token = _current.set(current)
    try:
        yield current
    finally:
        _current.reset(token)
