"""The generator of `docs/reference/problems.md`: `python -m sojourn.api.problems`."""

from __future__ import annotations

from sojourn.api.problems.errors import markdown

if __name__ == "__main__":
    print(markdown(), end="")
