"""Connecting to Temporal, the same way in every process."""

from __future__ import annotations

from collections.abc import Sequence

from temporalio.client import Client, Plugin
from temporalio.envconfig import ClientConfig
from temporalio.service import RetryConfig, RPCError, RPCStatusCode

RPC_DEADLINE = 5.0
"""Seconds after which a call to Temporal is given up by the API. The SDK's own limit is per attempt."""

# A short budget: an HTTP client is better served by a quick 503 than by the SDK's ten seconds.
_QUICK = RetryConfig(max_elapsed_time_millis=1500, max_retries=3)
_PATIENT = RetryConfig(max_elapsed_time_millis=60_000, max_retries=60)


class TemporalUnavailable(Exception):
    """Temporal could not be reached, or did not answer in time. Sending the same thing again is safe."""


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
        TemporalUnavailable: Nothing answers there; the message says where it looked.
    """
    config = ClientConfig.load_client_connect_config()
    if address:
        config["target_host"] = address
    if namespace:
        config["namespace"] = namespace
    target = config.setdefault("target_host", "localhost:7233")
    try:
        client = await Client.connect(plugins=list(plugins), lazy=lazy, retry_config=_QUICK, **config)
        if patient:
            client = await Client.connect(plugins=list(plugins), retry_config=_PATIENT, **config)
        return client
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
