"""The measures count what they say."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.repo import measures

MODULE = '''\
"""A module
of two lines."""

# A reason.
x = 1  # noqa: E501


class A:
    """A class."""

    def method(self) -> None:
        """A method.

        In three lines.
        """
        # Another one.
        pass
'''


def test_docstrings_comments_and_functions_are_counted() -> None:
    """Docstrings count with their lines, functions without them, and comments for tools do not count."""
    tree = ast.parse(MODULE)
    assert measures.docstring_lines(tree) == 2 + 1 + 4
    assert list(measures.functions(tree)) == [3]
    assert measures.comments(MODULE) == 2


def test_a_checkout_is_measured(tmp_path: Path) -> None:
    """Lines, parts and the tests' share are those of the checkout that is named."""
    for name, text in {
        "sojourn/__init__.py": "",
        "sojourn/cli/__init__.py": "from sojourn.store import tables\n\n\ndef f():\n    return 1\n",
        "sojourn/store/__init__.py": "",
        "sojourn/store/limits.py": "def g():\n    return 2\n",
        "sojourn/store/tables.py": "x = 1\ny = 2\nz = 3\n",
        "tests/test_a.py": "a = 1\n" * 4,
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    found = measures.measures(tmp_path)
    assert found["lines"] == "10"
    assert found["by part"] == "cli 5 (1), store 5 (3), (top level) 0 (1)"
    assert found["share of cli"] == "50.0 %"
    assert found["imports below another part's __init__"] == "1 of 1 between parts"
    assert found["tests"] == "4 lines, 0.400 for each line of the package"
