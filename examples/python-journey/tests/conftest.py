"""Switches on what Sojourn brings for tests."""

pytest_plugins = ["sojourn.testing.plugin"]
