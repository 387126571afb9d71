"""Prints what the guards find; with `--write`, writes their lists anew."""

from __future__ import annotations

import sys
from collections import Counter

from tests.repo.guards import imports, length, lists, names, page, style


def main() -> None:
    """Run every guard, print what has changed, and write the lists if asked to."""
    write = "--write" in sys.argv[1:]
    for name, found in (
        ("deep_imports", imports.deep_imports()),
        ("circles", imports.circles()),
        ("long_files", length.long_files()),
        ("file_names", names.odd_file_names()),
    ):
        changes = lists.compare(name, found)
        print(f"{name}: {len(lists.read(name))} listed, {len(found)} found")
        print("".join(f"  {change}\n" for change in changes), end="")
        if write:
            lists.write(name, found)
    before = sum(style.allowed().values(), Counter())
    counts = style.counts()
    after = sum(counts.values(), Counter())
    print("style: " + ", ".join(f"{name} {before[name]} -> {after[name]}" for name in style.WORDS))
    print("".join(f"  {line}\n" for line in style.excess()), end="")
    if write:
        page.write()
        lists.write("style", (style.entry(path, found) for path, found in counts.items()))
    else:
        print("With --write, the lists are written anew: look at the difference before you commit it.")
    for line in (*names.unlisted_names().values(), *imports.missing_doors(), *page.differences()):
        print(f"to correct by hand: {line}")


if __name__ == "__main__":
    main()
