"""The stable codes of everything that can be wrong with a definition.

A code never changes its meaning and is never used again for another one: people search for codes, and
programs compare them. `explanations` says what each means.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic_core import PydanticCustomError


class Code(StrEnum):
    """Codes of problems. Those that start with E refuse the definition, those with W are warnings."""

    # Files and YAML
    UNREADABLE = "E101"
    ENCODING = "E102"
    YAML = "E103"
    TAB = "E104"
    DUPLICATE_KEY = "E105"
    ANCHOR = "E106"
    TAG = "E107"
    TOO_LARGE = "E108"
    NOT_A_MAPPING = "E109"
    DOCUMENT_KIND = "E110"
    NO_PROJECT = "E111"
    PYTHON_FILE = "E112"
    # The shape of a document
    UNKNOWN_KEY = "E201"
    MISSING_KEY = "E202"
    WRONG_VALUE = "E203"
    NAME = "E204"
    DUPLICATE_NAME = "E205"
    DURATION = "E206"
    OUT_OF_RANGE = "E207"
    TIMEZONE = "E208"
    DATE = "E209"
    URL = "E210"
    HEADER = "E211"
    JSON_SCHEMA = "E212"
    REMOTE_SCHEMA = "E213"
    ONE_OF = "E214"
    PYTHON_FUNCTION = "E216"
    SECRET = "E215"  # noqa: S105 - a code, not a secret
    # Steps
    NO_KIND = "E301"
    TWO_KINDS = "E302"
    UNKNOWN_STEP = "E303"
    UNKNOWN_EVENT = "E304"
    UNKNOWN_SOURCE = "E305"
    UNKNOWN_ACTION = "E306"
    UNKNOWN_JOURNEY = "E307"
    UNREACHABLE = "E308"
    CYCLE = "E309"
    JUMP_LOOP = "E310"
    SHARES = "E311"
    TOO_MANY_STEPS = "E312"
    TWO_TIMEOUTS = "E313"
    ON_ERROR = "E314"
    NEXT = "E315"
    MISSING_PARAMETER = "E316"
    UNKNOWN_PARAMETER = "E317"
    # Expressions
    EXPRESSION = "E401"
    UNKNOWN_NAME = "E402"
    WRONG_TYPE = "E403"
    NO_RESULT = "E404"
    BRACES = "E405"
    # Against what is published
    # E501 and E502 were never in a release.
    ENTRY_RULE = "E503"
    # Warnings
    NO_ERROR_PATH = "W601"
    NO_TIMEOUT = "W602"
    # W603 was never in a release.
    UNKNOWN_KEYWORD = "W604"
    UNUSED_PARAMETER = "W605"
    NEVER_BEFORE = "W606"
    OUTLIVES = "W607"
    MORE = "W608"
    JOURNEY_ELSEWHERE = "W609"


def problem(code: Code, message: str, hint: str = "") -> PydanticCustomError:
    """Return the error that a pydantic validator raises to report a problem with a code of ours.

    Args:
        code: The stable code.
        message: What is wrong, without a full stop at the end.
        hint: What to write instead, a whole sentence.
    """
    # The text goes in as a value: pydantic would take braces of a user's text for placeholders.
    return PydanticCustomError(code.value, "{message}", {"message": message, "hint": hint})
