"""Recordings of what users see: compiled journeys, the command line, the API's answers.

`python -m tests.surface` says how to make and to compare them; the folder `golden` holds those that a test compares.
"""
