"""Connecting to Temporal, the same way in every process."""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from typing import Any

from temporalio.client import Client, Plugin
from temporalio.converter import DataConverter
from temporalio.envconfig import ClientConfig
from temporalio.service import RetryConfig, RPCError, RPCStatusCode

from sojourn.temporal.ask_again import AskAgain

RPC_DEADLINE = 5.0
"""Seconds after which a call to Temporal is given up by the API. The SDK's own limit is per attempt."""

# A short budget: an HTTP client is better served by a quick 503 than by the SDK's ten seconds.
_QUICK = RetryConfig(max_elapsed_time_millis=1500, max_retries=3)
_PATIENT = RetryConfig(max_elapsed_time_millis=60_000, max_retries=60)

CONVERTER_VARIABLE = "SOJOURN_DATA_CONVERTER"
"""Names the data converter of every process, as `MODULE:ATTRIBUTE`; Temporal's own if it is not set."""


class ConverterError(ValueError):
    """The variable `SOJOURN_DATA_CONVERTER` names no data converter. The text says what is wrong with it."""


class TemporalUnavailable(Exception):
    """Temporal could not be reached, or did not answer in time. Sending the same thing again is safe."""


def data_converter() -> DataConverter:
    """Return the data converter that the environment names, such as one with a codec that encrypts.

    Raises:
        ConverterError: What it names is none, or cannot be imported.
    """
    named = os.environ.get(CONVERTER_VARIABLE, "").strip()
    if not named:
        return DataConverter.default
    module, _, attribute = named.partition(":")
    if not module or not attribute.isidentifier():
        raise ConverterError(
            f"{CONVERTER_VARIABLE} is {named!r}: write MODULE:ATTRIBUTE, such as shop.codec:converter"
        )
    try:
        found = getattr(importlib.import_module(module), attribute)
    except AttributeError:
        raise ConverterError(f"{CONVERTER_VARIABLE} is {named!r}, and {module} has no {attribute}") from None
    except Exception as error:
        raise ConverterError(
            f"{CONVERTER_VARIABLE} is {named!r}, which cannot be imported: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(found, DataConverter):
        raise ConverterError(
            f"{CONVERTER_VARIABLE} is {named!r}, which is {type(found).__name__}: "
            "it is to be a temporalio.converter.DataConverter"
        )
    return found


async def connect(
    *,
    plugins: Sequence[Plugin] = (),
    lazy: bool = False,
    patient: bool = False,
    address: str | None = None,
    namespace: str | None = None,
) -> Client:
    """Connect to the Temporal that the environment names.

    Args:
        plugins: Client plugins, such as `JourneyPlugin`.
        lazy: Connect at the first call. A lazy client cannot back a worker.
        patient: Try calls again for a minute, as a worker should: the outcome of a call that it made must not be
            lost because Temporal restarts, or the call is made again. The first contact is short all the same.
        address: Overrides `TEMPORAL_ADDRESS` and the profile.
        namespace: Overrides `TEMPORAL_NAMESPACE` and the profile.

    Returns:
        A connected client, bound to the running event loop.

    Raises:
        ConverterError: `SOJOURN_DATA_CONVERTER` names no data converter.
        TemporalUnavailable: Nothing answers there; the message says where it looked.
    """
    converter = data_converter()
    config = ClientConfig.load_client_connect_config()
    if address:
        config["target_host"] = address
    if namespace:
        config["namespace"] = namespace
    target = config.setdefault("target_host", "localhost:7233")
    try:
        settings: dict[str, Any] = {
            "plugins": list(plugins),
            "interceptors": [AskAgain()],
            "data_converter": converter,
            **config,
        }
        client = await Client.connect(lazy=lazy, retry_config=_QUICK, **settings)
        return await Client.connect(retry_config=_PATIENT, **settings) if patient else client
    except RuntimeError as error:
        raise TemporalUnavailable(
            f"no Temporal server answers at {target}: start one (`sojourn dev` brings its own), or set TEMPORAL_ADDRESS"
        ) from error


def is_unavailable(error: BaseException) -> bool:
    """Say whether an error of a Temporal call means that it may be tried again later.

    Connection failures are `RuntimeError` at first and `RPCError` afterwards; overload and time-outs count too.
    """
    if isinstance(error, RPCError):
        return error.status in {
            RPCStatusCode.UNAVAILABLE,
            RPCStatusCode.DEADLINE_EXCEEDED,
            RPCStatusCode.RESOURCE_EXHAUSTED,
            RPCStatusCode.CANCELLED,
            RPCStatusCode.ABORTED,
            RPCStatusCode.INTERNAL,
            RPCStatusCode.UNKNOWN,
        }
    return isinstance(error, TimeoutError) or (isinstance(error, RuntimeError) and "connect" in str(error))
