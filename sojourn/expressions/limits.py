"""Bounds on what an expression may cost: its text, its nesting, what it builds and the work that it does.

They are constants, not settings: the same expression must give the same result on every replay, on every
machine, for years. Raising one is compatible; lowering one is not.
"""

from __future__ import annotations

from typing import Final

from sojourn.expressions.errors import EvaluationError, ExhaustedError

MAX_SOURCE: Final = 16_384
"""Characters in one expression."""

MAX_TEMPLATE: Final = 262_144
"""Characters in one template text, and in all texts of one template value together."""

MAX_NESTING: Final = 48
"""Brackets, calls and macros inside each other. Bounds the parser's stack."""

MAX_DEPTH: Final = 96
"""Nodes inside each other in the syntax tree. Bounds the evaluator's stack; long chains of one operator count
once."""

MAX_LIST: Final = 100_000
"""Items in a list, or entries in a map, that an expression builds."""

MAX_TEXT: Final = 1_048_576
"""Characters in a text that an expression builds."""

MAX_WORK: Final = 2_000_000
"""Units of work in one evaluation: about one node evaluated, one list item or eight characters handled.
Keeps the dearest expression well under the two seconds after which Temporal calls a workflow stuck."""

MAX_DATA_DEPTH: Final = 128
"""Lists and maps inside each other in a value that is compared, converted to text or to JSON."""

METER: Final = "\x00meter"
"""Key of the meter among the variables of an evaluation. No name in an expression can spell it."""


class Meter:
    """The work that one evaluation may still do.

    Args:
        left: Units of work allowed.
    """

    __slots__ = ("left",)

    def __init__(self, left: int = MAX_WORK) -> None:
        self.left = left

    def charge(self, units: int, position: int) -> None:
        """Take `units` of work off the allowance.

        Raises:
            ExhaustedError: Nothing is left.
        """
        self.left -= units
        if self.left < 0:
            raise ExhaustedError(position)


def check_text(size: int) -> None:
    """Refuse a text that is about to be built with more than `MAX_TEXT` characters.

    Raises:
        EvaluationError: It would be longer.
    """
    if size > MAX_TEXT:
        raise EvaluationError(f"the text would be longer than {MAX_TEXT:,} characters")


def check_list(size: int) -> None:
    """Refuse a list that is about to be built with more than `MAX_LIST` items.

    Raises:
        EvaluationError: It would be longer.
    """
    if size > MAX_LIST:
        raise EvaluationError(f"the list would have more than {MAX_LIST:,} items")
