"""Every name that Temporal persists, in one place.

These names are in the histories of running instances, in saved views and in other services' code. They are
compatibility data: add to them, never change them.
"""

from __future__ import annotations

import hashlib
import re

PLUGIN = "sojourn.JourneyPlugin"
"""Name of the plugin, which the server shows with each worker."""

WORKFLOW_JOURNEY = "sojourn.Journey"
"""Workflow type that interprets a compiled definition."""

WORKFLOW_EVENT = "sojourn.Event"
"""Workflow type that routes the event in its input, for services that have Temporal and not our API."""

ACTIVITY_ROUTE = "sojourn.route"
"""Activity type that routes the event of a `sojourn.Event`."""

ACTIVITY_OUTCOME = "sojourn.outcome"
"""Activity type that waits for the end of an instance, for other workflows."""

WORKFLOW_OPERATION = "sojourn.Operation"
"""Workflow type that does something with all instances of a journey: pauses, resumes or stops them."""

ACTIVITY_OPERATE = "sojourn.operate"
"""Activity type that does one round of an operation."""

ACTIVITY_FETCH = "sojourn.fetch"
"""Activity type that asks a data source. A local activity by default."""

ACTIVITY_ACTION = "sojourn.action"
"""Activity type that performs an action."""

ACTIVITY_PROFILE = "sojourn.profile"
"""Activity type that reads the built-in profile. A local activity by default."""

ACTIVITY_UPDATE_PROFILE = "sojourn.update_profile"
"""Activity type that writes attributes of the built-in profile. A local activity by default."""

ACTIVITY_JUMP = "sojourn.jump"
"""Activity type that starts a profile on another journey."""

PATCH_END_HELD = "sojourn.end-held"
"""The change behind which a Python journey that is paused does not end before it is resumed."""

UPDATE_MOVE = "move"
"""Update with which an instance goes on in another version of its journey."""

QUERY_MOVABLE = "movable"
"""Query that says whether it could."""

ERROR_NOT_MOVED = "sojourn.NotMoved"
"""`ApplicationError` type with which an instance refuses to be moved; its first detail is
`{code, message, profile, version}`."""

SIGNAL_EVENT = "event"
SIGNAL_PAUSE = "pause"
SIGNAL_RESUME = "resume"
SIGNAL_EXIT = "exit"
QUERY_STATE = "state"

TASK_QUEUE = "sojourn"
"""Default task queue of workflows and actions."""

SEARCH_JOURNEY = "JourneyName"
SEARCH_VERSION = "JourneyVersion"
SEARCH_PROFILE = "JourneyProfile"
SEARCH_STEP = "JourneyStep"

MEMO_ENTRY_EVENT = "entry_event"
"""Memo key with the id of the event that started the instance: admission reads it to tell what became of a
start whose answer was lost."""

MEMO_VERSION = "version"
"""Memo key with the journey's version: it tells instances apart where they have no search attributes."""

ERROR_JOURNEY_FAILED = "sojourn.JourneyFailed"
"""`ApplicationError` type of an instance that ended as failed; its first detail is the instance's result."""

QUERY_TOO_EARLY = "sojourn.AskedEarly"
"""What the failure of a query begins with that a worker refused, as the instance is about to go on: ask again."""

ERROR_BAD_INPUT = "sojourn.BadInput"
"""`ApplicationError` type of a start whose input is not one of Sojourn's."""

ERROR_NO_INSTANCE = "sojourn.NoInstance"
"""`ApplicationError` type that tells a workflow that no instance runs, or ran, under the id that it asked for."""

ERROR_UNKNOWN_OPERATION = "sojourn.UnknownOperation"
"""`ApplicationError` type of an operation that the database does not know."""

ERROR_CALL = "sojourn.CallError"
"""`ApplicationError` type of a failed fetch or action; its first detail is `{code, status, message, body}`."""

MISSING_FUNCTION = "missing_function"
"""Code in the detail of `ERROR_CALL` of a worker that has not the Python function of a call. The workflow schedules the
call again, for whichever worker has it; journeys never see the code."""

ERROR_MUST_QUEUE = "sojourn.Moved"
"""`ApplicationError` type with which an attempt says that its action is throttled by now, and so is not made here;
its first detail is `{queue, expire}`. The workflow schedules the same call again on that queue."""

EXTERN_EXPIRED = "sojourn.expired"
"""Function that a worker gives its workflows, to tell of calls that expired in a queue; not persisted."""

JOURNEY_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")
"""What a journey's name must match in full. It holds no colon, so that a workflow id splits at the first one."""

_THROTTLED = ":throttled:"
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_.@+-][A-Za-z0-9_.@+:-]{0,127}")
_PLAIN_PER = re.compile(r"[A-Za-z0-9_.@+-][A-Za-z0-9_.@+:-]{0,59}")
_HASHED_KEY = re.compile(r"~[0-9a-f]{40}")
_PER = "="
_MOST_READINGS = 8


def profile_part(key: str, *, private: bool = False) -> str:
    """Return the form of a profile key that is used in workflow ids and search attributes.

    Args:
        key: The profile key, any text.
        private: Hash every key, so that none can be read in Temporal.

    Returns:
        The key itself where it is short and plain, else `~` and 40 hex digits of its BLAKE2b hash. No plain
        key starts with `~`, so a hash never meets a key.
    """
    return key if not private and _PLAIN_KEY.fullmatch(key) else _hashed(key)


def per_part(value: str, *, private: bool = False) -> str:
    """Return the form of a second key that is used in workflow ids: as `profile_part`, of at most 60 characters."""
    return value if not private and _PLAIN_PER.fullmatch(value) else _hashed(value)


def _hashed(key: str) -> str:
    return "~" + hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()


def workflow_id(journey: str, key: str, per: str | None = None, *, private: bool = False) -> str:
    """Return the workflow id of a profile's instance in a journey.

    Args:
        journey: The journey's name, which matches `JOURNEY_NAME`.
        key: The profile key.
        per: The value of the journey's second key, where it has one.
        private: Hash both keys, see `profile_part`.

    Returns:
        `<journey>:<profile key>`, with a second key `<journey>:<profile key>=<second key>`: no plain key holds a `=`.
        At most 254 characters, none of which Temporal or its Web UI treats specially.
    """
    identity = f"{journey}:{profile_part(key, private=private)}"
    return identity if per is None else f"{identity}{_PER}{per_part(per, private=private)}"


def parts_of(workflow: str) -> tuple[str, str, str | None]:
    """Return the journey, the profile and the second key in a workflow id, as they stand there."""
    journey, _, rest = workflow.partition(":")
    profile, equals, per = rest.partition(_PER)
    return journey, profile, per if equals else None


def profile_part_of(text: str, *, private: bool = False) -> str:
    """Return the form of a profile key for what a person gives: the key itself, or that form of it already."""
    return text if _HASHED_KEY.fullmatch(text) else profile_part(text, private=private)


def workflow_ids_of(text: str, *, private: bool = False) -> list[str]:
    """Return the workflow ids that a text which a person gives may mean, the likeliest first.

    Args:
        text: A workflow id, or `<journey>:<profile key>`, where `=<second key>` may follow, with any keys. One that
            names no journey comes back as it is.
        private: The deployment hashes keys.

    Returns:
        At least one. There are more where the text has a `=`, which may as well be a part of either key.
    """
    journey, colon, key = text.partition(":")
    if not colon or not key or not JOURNEY_NAME.fullmatch(journey):
        return [text]
    cuts = [place.start() for place in re.finditer(_PER, key)][:_MOST_READINGS]
    pairs = [(key[:cut], key[cut + 1 :]) for cut in cuts if 0 < cut < len(key) - 1]
    read = [
        f"{journey}:{profile_part_of(profile, private=private)}{_PER}{_per_part_of(per, private=private)}"
        for profile, per in pairs
    ]
    return [*read, f"{journey}:{profile_part_of(key, private=private)}"]


def _per_part_of(text: str, *, private: bool) -> str:
    return text if _HASHED_KEY.fullmatch(text) else per_part(text, private=private)


def throttled_queue(task_queue: str, name: str) -> str:
    """Return the task queue on which the calls of a throttled action wait for their turn.

    Args:
        task_queue: The task queue of the journeys.
        name: The action's name.
    """
    return f"{task_queue}{_THROTTLED}{name}"


def is_throttled_queue(queue: str, name: str) -> bool:
    """Say whether a task queue is the one of a throttled action, of whichever journeys' task queue."""
    return queue.endswith(f"{_THROTTLED}{name}")


def operation_id(task_queue: str, number: int) -> str:
    """Return the workflow id of an operation over the instances of a journey.

    Args:
        task_queue: The task queue of the journeys: deployments that share a namespace number their operations alike.
        number: The operation's number.
    """
    return f"{task_queue}.operation:{number}"


def operations_queue(task_queue: str) -> str:
    """Return the task queue of operations: workers without the deployment's database do not poll it.

    Args:
        task_queue: The task queue of the journeys.
    """
    return f"{task_queue}:operations"


def activity_id(step: str, visit: int) -> str:
    """Return the activity id of a step's n-th visit: `<step>#<visit>`."""
    return f"{step}#{visit}"


def profile_activity_id(number: int) -> str:
    """Return the activity id of a run's n-th reading of the profile; no step's id holds a colon."""
    return f"profile:{number}"


def idempotency_key(workflow: str, first_run: str, step: str, visit: int) -> str:
    """Return the key that every attempt of one call carries as `Idempotency-Key`.

    Args:
        workflow: The workflow id.
        first_run: `first_execution_run_id`: it survives continue-as-new and reset, which `run_id` does not.
        step: The step's id.
        visit: Which visit of the step this is, from 1.

    Returns:
        64 hex digits: a header value that is safe whatever the profile key holds.
    """
    text = "\x00".join((workflow, first_run, step, str(visit)))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=32).hexdigest()
