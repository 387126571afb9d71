"""`python -m sojourn`: the same as the `sojourn` command."""

from __future__ import annotations

from sojourn.cli.main import main

if __name__ == "__main__":
    main()
