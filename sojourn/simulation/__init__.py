"""Journeys under a virtual clock: a world with scripted answers to calls, and what it recorded."""
