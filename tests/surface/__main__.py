"""Makes and compares the recordings.

python -m tests.surface                        compare the golden files with the present code
python -m tests.surface write                  write the golden files anew
python -m tests.surface record OUT [TESTS…]    run tests (tests/api and tests/definitions if none are named), and record
                                               the API's answers and the compiled journeys in the file OUT
python -m tests.surface compare OLD NEW        print how two such files differ
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.surface import golden

Recording = dict[str, dict[str, list[str]]]


def record(out: Path, tests: list[str]) -> int:
    """Run tests and record what they see; return the exit status of pytest."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "tests.surface.recorder", "-q", "-n", "2", *tests],
            env=os.environ | {"SURFACE": folder},
            check=False,
        )
        merged: dict[str, dict[str, set[str]]] = {}
        for path in sorted(Path(folder).glob("*.json")):
            recording: Recording = json.loads(path.read_text("utf-8"))
            for test, kinds in recording.items():
                for kind, texts in kinds.items():
                    merged.setdefault(test, {}).setdefault(kind, set()).update(texts)
    sorted_ = {
        test: {kind: sorted(texts) for kind, texts in kinds.items()} for test, kinds in sorted(merged.items())
    }
    out.write_text(json.dumps(sorted_, indent=1, ensure_ascii=False) + "\n", "utf-8")
    answers = sum(len(kinds.get("answers", ())) for kinds in merged.values())
    compiled = sum(len(kinds.get("compiled", ())) for kinds in merged.values())
    print(f"{out}: {len(merged)} tests, {answers} answers, {compiled} compiled journeys")
    return done.returncode


def compare(old: Recording, new: Recording) -> list[str]:
    """Return how two recordings differ, for the tests that both have; tests that only one has are counted."""
    lines = []
    for test in sorted(old.keys() & new.keys()):
        for kind in sorted(old[test].keys() | new[test].keys()):
            before, after = set(old[test].get(kind, ())), set(new[test].get(kind, ()))
            changes = [f"  - {text}" for text in sorted(before - after)]
            changes += [f"  + {text}" for text in sorted(after - before)]
            if changes:
                lines += [f"{test} ({kind})", *changes]
    lines.append(
        f"{len(old.keys() & new.keys())} tests compared; only in the first {len(old.keys() - new.keys())}: "
        f"{', '.join(sorted(old.keys() - new.keys()))[:2000]}; only in the second {len(new.keys() - old.keys())}"
    )
    return lines


def main(words: list[str]) -> int:
    """Run one of the commands above."""
    match words:
        case []:
            found = golden.differences()
            print("\n".join(found) or "nothing differs")
            return bool(found)
        case ["write"]:
            golden.write()
            return 0
        case ["record", out, *tests]:
            return record(Path(out), tests or ["tests/api", "tests/definitions"])
        case ["compare", old, new]:
            lines = compare(
                json.loads(Path(old).read_text("utf-8")), json.loads(Path(new).read_text("utf-8"))
            )
            print("\n".join(lines))
            return len(lines) > 1
        case _:
            print(__doc__)
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
