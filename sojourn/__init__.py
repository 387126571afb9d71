"""Sojourn: customer journeys as durable Temporal workflows.

The package's parts and how imports run between them are described in `docs/explanation/architecture.md`.
"""

__version__ = "0.1.0"
