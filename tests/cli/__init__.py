"""Tests of the `sojourn` command: real processes, as a user runs them."""
