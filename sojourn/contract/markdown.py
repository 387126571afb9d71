"""Text that Temporal's Web UI renders as Markdown.

The Web UI does not strip HTML, so whatever is not ours is escaped before it gets there.
"""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~&])")


def escape(text: str, limit: int = 80) -> str:
    """Return text in which Markdown and HTML see nothing special, on one line and cut where it is long.

    Args:
        text: Any text.
        limit: Most characters that are kept.
    """
    line = " ".join(text.split())
    if len(line) > limit:
        line = line[: limit - 1] + "…"
    return _SPECIAL.sub(r"\\\1", line)
