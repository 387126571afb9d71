"""The endpoints resource: sources and actions with their limits."""
