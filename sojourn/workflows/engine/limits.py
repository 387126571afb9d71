"""Limits of what one instance keeps, in bytes as Temporal's default converter writes them.

Everything is carried to the next run in one payload, which Temporal limits to 2 MB. Not all of these limits can be
reached at once: `CARRIED_BYTES` limits the whole.
"""

from __future__ import annotations

EVENT_BYTES = 400 * 1024
"""Most bytes of one event. The API accepts 128 kB of UTF-8, which the converter may triple."""

EVENT_DEPTH = 128
"""Most levels of nested lists and maps in an event: as many as expressions accept."""

PENDING_BYTES = 256 * 1024
"""Most bytes of events that wait to be offered to a step. Further events are dropped and counted. One event is always
kept, whatever its size."""

REMEMBERED_BYTES = 128 * 1024
"""Most bytes of earlier events kept for `since: entry`; the oldest are dropped."""

LATEST_BYTES = 256 * 1024
"""Most bytes of the last event of each name, kept for `events[...]`; the oldest are dropped."""

RESULT_BYTES = 512 * 1024
"""Most bytes of step results in one instance."""

PROFILE_BYTES = 400 * 1024
"""Most bytes of the profile's attributes that a journey names. The store keeps up to 64 kB of UTF-8, which the
converter may multiply by six. They are not carried over, but each read is in the history."""

KNOWN_IDS = 50_000
"""How many of the latest event ids an instance remembers: 533 kB of what is carried over."""

KNOWN_IDS_KEPT = 10_000
"""Least event ids that are carried over, whatever else needs room."""

EVENTS_IN_TASK = 1_000
"""Most events that one workflow task receives and offers to waits before it leaves the rest to the next task. They take
some tenths of the two seconds that a worker allows."""

HISTORY_EVENTS = 40_000
"""Length of a history at which a new run begins even if events are dropped: Temporal ends a workflow at 51,200."""

TRACE = 1_000
"""Most records in a trace; the oldest are dropped, but counted."""

CARRIED_BYTES = 1_900_000
"""Most bytes that are carried to the next run. Above that, the oldest of what matters least is dropped."""

TRACE_KEPT = 100
"""Least records of the trace that are carried over, whatever else needs room."""

PARAMETER_BYTES = 1024 * 1024
"""Most bytes of the parameters of one call."""

OUTCOME_LENGTH = 1_000
"""Most characters of the text of an outcome."""

TRACE_LENGTH = 300
"""Most characters of a step's result in a record of the trace."""
