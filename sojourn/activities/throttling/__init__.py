"""Throttled calls, the activities' half: each throttled action has its own task queue, whose rate the server keeps.

- `queues`: polls the task queues.
- `rates`: reads and sets their rates on the server.
- `queued_call`: rejects calls that bypass their task queue or waited too long.
- `expired`: reports calls that waited too long, which only the workflow knows of.

The other half is `sojourn.workflows.throttling`, which schedules the calls.
"""
