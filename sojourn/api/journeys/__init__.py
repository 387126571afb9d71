"""The journeys resource: publication, reading and the checks before it."""
