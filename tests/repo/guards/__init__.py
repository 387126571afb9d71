"""Guards of the repository's structure and style, each with a list of what is left to work off.

`python -m tests.repo.guards` prints what the guards find; with `--write` it writes the lists in `lists/` anew.
"""
