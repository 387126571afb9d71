"""Throttled calls as a workflow sees them: waiting for a turn, and leaving the queue during a pause."""
