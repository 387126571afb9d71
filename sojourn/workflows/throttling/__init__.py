"""Throttled calls, the workflow's half: a call queues on its action's own task queue until its turn.

- `queued_call`: how a call queues.
- `pausing`: a call leaves the queue while its instance is paused.
- `expired`: a call that waited too long.

The other half is `sojourn.activities.throttling`, which serves the task queues.
"""
