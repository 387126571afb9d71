"""The activities that read and write the built-in profiles."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, Protocol

from temporalio import activity
from temporalio.exceptions import ApplicationError

from sojourn.activities.errors import NETWORK, TIMED_OUT, CallError, refused
from sojourn.activities.reporting import log_failure, trace
from sojourn.activities.window import LocalMemory, Window
from sojourn.contract import names

DEFAULT_WINDOW = 30.0
"""Seconds that all attempts have together where the journey does not say."""

_PATIENT_PAUSE = timedelta(seconds=1)
_LONGEST_PAUSE = timedelta(seconds=30)

logger = logging.getLogger("sojourn.activities")


class Profiles(Protocol):
    """Where the profiles are kept: `Store.profiles`, or whatever a host application has instead."""

    async def get(self, key: str) -> dict[str, Any] | None:
        """Return the attributes of a profile, plain JSON, or None where it is not there."""
        ...

    async def update(self, key: str, changes: dict[str, Any], operation: str) -> dict[str, Any]:
        """Change some attributes, as a merge patch (RFC 7396) says, and make the profile where it is not there.

        Args:
            key: The profile key.
            changes: Null removes an attribute, objects are merged, all else replaces what was there.
            operation: Names this update among all: asked again, nothing changes.

        Returns:
            All attributes afterwards.

        Raises:
            ValueError: The profile may not hold this. The message says why, without any of its values.
        """
        ...


class ProfileCalls:
    """The activities of a worker that concern profiles.

    Args:
        profiles: Where they are kept; without it every reading and writing is `refused`.
    """

    def __init__(self, profiles: Profiles | None) -> None:
        self._profiles = profiles
        self._memory = LocalMemory()

    @property
    def activities(self) -> list[Callable[..., Any]]:
        """What a worker registers."""
        return [self.read, self.update]

    @activity.defn(name=names.ACTIVITY_PROFILE)
    async def read(self, call: dict[str, Any]) -> dict[str, Any]:
        """Read the attributes of a profile that a journey names.

        Args:
            call: `{"key", "attributes", "window", "journey", "step", "patient"}`; `attributes` are the names of those
                that are wanted, or null for all; where it is `patient`, only the retry policy ends the attempts.

        Returns:
            `{"attributes": {...}}`; a profile that is not there has none.

        Raises:
            ApplicationError: Of the type `names.ERROR_CALL`; its detail is `{code, status, message, body}`.
        """

        async def work(profiles: Profiles, key: str) -> dict[str, Any]:
            return await profiles.get(key) or {}

        return await self._attempt("read", call, work)

    @activity.defn(name=names.ACTIVITY_UPDATE_PROFILE)
    async def update(self, call: dict[str, Any]) -> dict[str, Any]:
        """Write attributes of a profile, once for each operation.

        Args:
            call: As of `read`, with `changes`, a merge patch, and `operation`, which names this update among all.

        Returns:
            `{"attributes": {...}}`: those that the journey names, as they are afterwards.

        Raises:
            ApplicationError: Of the type `names.ERROR_CALL`; its detail is `{code, status, message, body}`.
        """

        async def work(profiles: Profiles, key: str) -> dict[str, Any]:
            changes, operation = call.get("changes"), call.get("operation")
            if not isinstance(changes, dict) or not isinstance(operation, str):
                raise refused("the call is not one of Sojourn's journeys", expected=False)
            try:
                return await profiles.update(key, changes, operation)
            except ValueError as error:
                raise refused(f"the profile was not written: {error}") from None

        return await self._attempt("update", call, work)

    async def _attempt(
        self, what: str, call: dict[str, Any], work: Callable[[Profiles, str], Awaitable[dict[str, Any]]]
    ) -> dict[str, Any]:
        """Run one attempt of an activity: what fails goes to Temporal, which makes the next one."""
        key, wanted, total = call.get("key"), call.get("attributes"), call.get("window", DEFAULT_WINDOW)
        if (
            not isinstance(key, str)
            or not isinstance(total, int | float)
            or not isinstance(wanted, list | None)
        ):
            raise refused("the call is not one of Sojourn's journeys", expected=False).application_error(None)
        patient = call.get("patient") is True
        window = Window(float(total), self._memory)
        try:
            if self._profiles is None:
                raise refused(
                    "this worker has no profiles: give its Calls(...) some, profiles=store.profiles",
                    expected=False,
                )
            async with asyncio.timeout(float(total) if patient else window.remaining()):
                attributes = await work(self._profiles, key)
            return {"attributes": _chosen(attributes, wanted)}
        except TimeoutError:
            failure = (
                window.timed_out() if not patient else CallError(TIMED_OUT, "the profiles do not answer")
            )
        except CallError as error:
            failure = error
        except Exception as error:
            # Where, but not what: the message of a database's error quotes what was to be written.
            logger.debug("profiles cannot be reached: %s", trace(error))
            message = f"the profiles cannot be reached at the moment ({type(error).__name__})"
            failure = CallError(NETWORK, message, retryable=True, expected=False)
        raise self._failed(what, call, failure, window, patient)

    def _failed(
        self, what: str, call: Mapping[str, Any], failure: CallError, window: Window, patient: bool
    ) -> ApplicationError:
        if patient:
            attempt = activity.info().attempt
            pause = min(_PATIENT_PAUSE * 2 ** min(attempt - 1, 10), _LONGEST_PAUSE)
            delay: float | None = pause.total_seconds()
        else:
            failure, delay = window.after(failure)
        log_failure("profile", what, call, failure, activity.info().attempt, delay)
        return failure.application_error(delay)


def _chosen(attributes: dict[str, Any], wanted: list[str] | None) -> dict[str, Any]:
    """Return the attributes that the journey names: what it does not need has no place in its history."""
    if wanted is None:
        return attributes
    return {name: attributes[name] for name in wanted if name in attributes}
