"""Journeys of the scenario suite, once more as Python: the same scenarios are to show the same."""
