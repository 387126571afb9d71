"""Checks of what was read, one module for each concern."""
