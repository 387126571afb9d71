"""The health resource, for whatever watches the process."""
