"""Sojourn measured against plain Temporal: `python -m benchmarks`."""
