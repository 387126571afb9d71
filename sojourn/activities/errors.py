"""How a call fails: one exception inside this package, one `ApplicationError` towards Temporal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from sojourn.contract import names

REFUSED = "refused"
"""The call was not made: its parameters, its address, its secrets or its endpoint are not in order."""

NETWORK = "network"
"""The other side could not be reached, or the connection broke."""

TIMED_OUT = "timed_out"
"""The window of the call is over."""

INVALID_RESPONSE = "invalid_response"
"""An answer came, but it is not what the endpoint promises."""

CAPPED = "capped"
"""The endpoint's cap allows no more calls at the moment."""

EXPIRED = "expired"
"""The call waited for its turn at a throttled action for longer than `expire`."""


def http_code(status: int) -> str:
    """Return the error code of an HTTP status: `http_<status>`."""
    return f"http_{status}"


class CallError(Exception):
    """A call that did not succeed.

    Attributes:
        code: One of the codes that journeys branch on, such as `http_503` or `timed_out`.
        message: What happened, in a sentence without any customer's data.
        status: The HTTP status, where an answer came.
        body: The JSON body of an error answer, where there is one.
        retryable: Whether another attempt makes sense.
        retry_after: Seconds that the other side asks to wait before the next attempt.
        expected: Whether this belongs to the life of a network; otherwise the deployment is wrong
            and somebody must look at it.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int | None = None,
        body: Any = None,
        retryable: bool = False,
        retry_after: float | None = None,
        expected: bool = True,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.body = body
        self.retryable = retryable
        self.retry_after = retry_after
        self.expected = expected

    def masked(self, mask: Callable[[Any], Any]) -> CallError:
        """Return the same error with its message and body masked.

        Args:
            mask: Removes secrets from a JSON value.
        """
        return CallError(
            self.code,
            mask(self.message),
            status=self.status,
            body=mask(self.body),
            retryable=self.retryable,
            retry_after=self.retry_after,
            expected=self.expected,
        )

    def application_error(self, delay: float | None) -> ApplicationError:
        """Return what Temporal is told.

        Args:
            delay: Seconds until the next attempt, or None if there is to be none.
        """
        detail = {"code": self.code, "status": self.status, "message": self.message, "body": self.body}
        return ApplicationError(
            self.message,
            detail,
            type=names.ERROR_CALL,
            non_retryable=delay is None,
            next_retry_delay=None if delay is None else timedelta(seconds=delay),
            # Each failure is logged where it happens, in one line. Temporal's SDK would add a traceback to it.
            category=ApplicationErrorCategory.BENIGN,
        )


def refused(message: str, *, expected: bool = True) -> CallError:
    """Return the error of a call that is not made at all."""
    return CallError(REFUSED, message, expected=expected)
