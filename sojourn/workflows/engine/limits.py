"""Bounds of what one instance keeps, in bytes as the default converter writes them.

All of it crosses a continue-as-new in one payload, which Temporal bounds at 2 MB. Not all of these can be reached at
once; `CARRIED_BYTES` bounds the whole.
"""

from __future__ import annotations

EVENT_BYTES = 400 * 1024
"""Most bytes of one event. The API takes 128 kB of UTF-8, of which the converter may make three times as many."""

EVENT_DEPTH = 128
"""Most lists and maps inside each other in an event: as many as expressions take."""

PENDING_BYTES = 256 * 1024
"""Most bytes of events that wait to be offered to a step; what comes above that is dropped and counted. One event is
always kept, whatever its size."""

REMEMBERED_BYTES = 128 * 1024
"""Most bytes of earlier events kept for `since: entry`; the oldest make room."""

LATEST_BYTES = 256 * 1024
"""Most bytes of the last event of each name, kept for `events[...]`; the oldest make room."""

RESULT_BYTES = 512 * 1024
"""Most bytes of step results in one instance."""

PROFILE_BYTES = 400 * 1024
"""Most bytes of the profile's attributes that a journey names. The store keeps 64 kB of UTF-8, of which the converter
may make six times as many. They are not carried over, but each reading is in the history."""

KNOWN_IDS = 50_000
"""How many of the latest event ids an instance knows again: 533 kB of what is carried over."""

KNOWN_IDS_KEPT = 10_000
"""Event ids that are carried over in any case."""

EVENTS_IN_TASK = 1_000
"""Most events that one workflow task takes in and offers to waits before it leaves the rest to the next one: some
tenths of a second of the two that a worker allows."""

HISTORY_EVENTS = 40_000
"""Length of a history at which a run is left even if events are dropped by that: Temporal ends a workflow at 51,200."""

TRACE = 1_000
"""Most records in a trace; the oldest make room, and are counted."""

CARRIED_BYTES = 1_900_000
"""Most bytes that go on to a new run. Above that, the oldest of what can best be done without makes room."""

TRACE_KEPT = 100
"""Records of the trace that are carried over in any case."""

PARAMETER_BYTES = 1024 * 1024
"""Most bytes of the parameters of one call."""

OUTCOME_LENGTH = 1_000
"""Most characters of the text of an outcome."""

TRACE_LENGTH = 300
"""Most characters of what a record of the trace says of a step's result."""
