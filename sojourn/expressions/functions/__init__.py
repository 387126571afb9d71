"""The function library, one module for each topic.

Importing this package fills the registry, which is complete from then on and never changes.
"""

from __future__ import annotations

from sojourn.expressions.functions import (  # noqa: F401 - each module registers its functions
    aggregates,
    conversions,
    dates,
    durations,
    formatting,
    lists,
    maths,
    patterns,
    texts,
)
