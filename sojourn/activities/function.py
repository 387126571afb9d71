"""Calls Python functions that are sources and actions, as `calls` calls HTTP endpoints."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import logging
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import Any

from pydantic import ValidationError
from temporalio import activity
from temporalio.exceptions import ApplicationError

from sojourn.activities.auth.secrets import CallSecrets
from sojourn.activities.endpoint import PreparedEndpoint
from sojourn.activities.errors import INVALID_RESPONSE, CallError, refused
from sojourn.activities.http.response import read_result
from sojourn.activities.http.wire import HttpResponse
from sojourn.contract import names
from sojourn.definitions import EndpointDefinition
from sojourn.functions import Context, Failed, Function, entered, function_of

EXCEPTION = "exception"
"""The function raised something that it does not say on purpose."""

THREADS = 100
"""Most functions of the kind `def` that run at once; as many as Temporal's workers run activities by default."""

logger = logging.getLogger("sojourn.activities")
_call: ContextVar[Mapping[str, Any]] = ContextVar("sojourn_call")


class MissingFunctionError(CallError):
    """This worker has not the function, or another version of it. Another worker may, or this one after a restart."""

    def __init__(self, kind: str, name: str, reference: str | None, why: str) -> None:
        super().__init__(
            names.MISSING_FUNCTION,
            f"this worker {why} the Python function of the {kind} {name} ({reference}): "
            "start workers with the project that was published",
            expected=False,
        )


def begin(call: Mapping[str, Any]) -> None:
    """Remember, for the rest of the running activity, which call it serves."""
    _call.set(call)


class FunctionCalls:
    """The functions of a worker.

    Args:
        functions: Functions decorated with `@action.defn` or `@source.defn`.

    Raises:
        ValueError: One is not decorated, or two have one name; the message says which.
    """

    def __init__(self, functions: Iterable[Callable[..., Any]] = ()) -> None:
        self._functions: dict[str, Function] = {}
        self._threads: ThreadPoolExecutor | None = None
        taken: dict[str, Function] = {}
        for given in functions:
            function = function_of(given)
            if function is None:
                name = getattr(given, "__name__", repr(given))
                raise ValueError(f"{name} is no source and no action: put @action.defn(name=...) over it")
            earlier = taken.setdefault(function.name, function)
            if earlier is not function:
                raise ValueError(
                    f"{earlier.definition.python} and {function.definition.python} have one name, "
                    f"{function.name}: give each a name of its own"
                )
            self._functions[function.id] = function

    def definition(self, kind: str, name: str) -> EndpointDefinition | None:
        """Return the definition of a function of this worker, or None."""
        found = self._functions.get(f"{kind}:{name}")
        return found.definition if found else None

    async def call(
        self,
        endpoint: PreparedEndpoint,
        parameters: Mapping[str, Any],
        key: str | None,
        within: float,
        secrets: CallSecrets,
    ) -> dict[str, Any]:
        """Call the function of an endpoint.

        Args:
            endpoint: The endpoint, as published.
            parameters: The call's parameters.
            key: The idempotency key, for actions.
            within: Seconds that are left of the window.
            secrets: Gives secrets, and masks them.

        Returns:
            `{"status": 200, "body": …}`.

        Raises:
            CallError: It did not succeed.
        """
        definition = endpoint.definition
        function = self._functions.get(definition.id)
        if function is None:
            raise MissingFunctionError(definition.kind, definition.name, definition.python, "lacks")
        endpoint.check(parameters)
        arguments = _arguments(function, parameters, definition)
        context = _context(definition.name, key, within, secrets)
        failure: CallError
        try:
            with entered(context):
                value = await self._run(function, arguments)
        except CallError:
            raise  # a secret that cannot be had
        except Failed as error:
            failure = _failed(error)
        except ApplicationError as error:
            failure = _application_error(function, error)
        except (Exception, SystemExit) as error:
            trace = secrets.mask.text("".join(traceback.format_exception(error)))
            # The exception itself is for who develops the function; its text may hold data and secrets.
            more = {"raised": error, "function": definition.id, "mask": secrets.mask.text}
            logger.error("%s raised an exception:\n%s", _shown(function), trace, extra=more)
            message = f"{_shown(function)} raised {type(error).__name__}; the worker's log says more"
            failure = CallError(EXCEPTION, message, retryable=True, expected=False)
        except BaseException as error:
            if not _is_async_completion(error):
                raise
            failure = refused(
                f"{_shown(function)} cannot be completed later: return its answer", expected=False
            )
        else:
            return read_result(HttpResponse(200, body=_json(function, value)), endpoint.response)
        # Raised here, where the function's own exception is not its context: its text stays out of histories.
        raise failure

    async def aclose(self) -> None:
        """Let go of the threads. What still runs in them cannot be ended, and goes on to its own end."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._threads = None

    async def _run(self, function: Function, arguments: dict[str, Any]) -> Any:
        if inspect.iscoroutinefunction(function.call):
            return await function.call(**arguments)
        if self._threads is None:
            self._threads = ThreadPoolExecutor(THREADS, "sojourn-function")
        run = contextvars.copy_context().run
        loop = asyncio.get_running_loop()
        value = await loop.run_in_executor(self._threads, lambda: run(function.call, **arguments))
        # Decorators of others may hide that the function is asynchronous.
        return await value if inspect.isawaitable(value) else value


def _shown(function: Function) -> str:
    return f"the {function.kind} {function.name} ({function.definition.python})"


def _arguments(
    function: Function, parameters: Mapping[str, Any], published: EndpointDefinition
) -> dict[str, Any]:
    """Return what the function is called with: the parameters as the types that it wants.

    Raises:
        CallError: One does not fit; the message names it, never its value.
    """
    known = function.parameters
    missing = [name for name, parameter in known.items() if parameter.required and name not in parameters]
    if missing or not set(parameters) <= set(known):
        raise MissingFunctionError(
            published.kind, published.name, published.python, "has another version, with other parameters, of"
        )
    arguments = {}
    for name, value in parameters.items():
        parameter = known[name]
        if value is None and not parameter.nullable and not parameter.required:
            continue  # as if it were left out, as with HTTP endpoints
        try:
            # As JSON, where a timestamp is a text: strict types take it then as well.
            arguments[name] = parameter.adapter.validate_python(value)
        except ValidationError as error:
            detail = error.errors(include_url=False, include_input=False, include_context=False)[0]
            where = ".".join(
                str(part) for part in (name, *detail["loc"]) if isinstance(part, int) or part.isidentifier()
            )
            raise refused(
                f"the parameter {where} is not what the function takes ({detail['type']})"
            ) from None
        except Exception as error:
            raise refused(
                f"the parameter {name} is not what the function takes ({type(error).__name__})"
            ) from None
    return arguments


def _context(name: str, key: str | None, within: float, secrets: CallSecrets) -> Context:
    call = _call.get({})
    journey, step = call.get("journey"), call.get("step")
    info = activity.info() if activity.in_activity() else None
    return Context(
        name=name,
        idempotency_key=key,
        journey=journey if isinstance(journey, str) else None,
        step=step if isinstance(step, str) else None,
        instance=info.workflow_id if info else None,
        attempt=info.attempt if info else 1,
        deadline=time.monotonic() + within,
        secrets=secrets.get,
    )


def _failed(error: Failed) -> CallError:
    return CallError(
        error.code,
        error.message,
        status=error.status,
        retryable=error.retry,
        retry_after=error.retry_after.total_seconds() if error.retry_after else None,
    )


def _application_error(function: Function, error: ApplicationError) -> CallError:
    """Return what Temporal's own error means: whether to try again, and when. Its text may hold data."""
    delay = error.next_retry_delay
    message = f"{_shown(function)} raised {error.type or 'ApplicationError'}"
    return CallError(
        EXCEPTION,
        message,
        retryable=not error.non_retryable,
        retry_after=delay.total_seconds() if delay else None,
    )


def _is_async_completion(error: BaseException) -> bool:
    """Say whether this is what `activity.raise_complete_async` raises, whose class is not public."""
    return type(error).__name__ == "_CompleteAsyncError"


def _json(function: Function, value: Any) -> bytes:
    """Return an answer as JSON.

    Raises:
        CallError: It is not what the function says that it returns. The effect may have happened.
    """
    try:
        return function.answer.dump_json(value, by_alias=True, warnings="error")
    except Exception as error:  # serializers of the author's may raise anything
        kind = type(error).__name__
    message = f"what {_shown(function)} returned is not of the type that it says ({kind})"
    raise CallError(INVALID_RESPONSE, message, expected=False)
