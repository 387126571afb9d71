"""What users see stays: compiled journeys, the command line, answers of commands (see tests/surface/__main__.py)."""

from __future__ import annotations

import pytest

from tests.surface import golden
from tests.surface.__main__ import compare
from tests.surface.recorder import normalized, shape

WRITE = "\nIf that is meant, write the recordings anew: python -m tests.surface write"


@pytest.mark.parametrize("name", golden.NAMES)
def test_the_surface_is_as_recorded(name: str) -> None:
    """Compiled journeys, problems, commands, options and help texts are as they were recorded."""
    found = golden.differences(name)
    assert not found, "\n".join(found) + WRITE


def test_no_recording_is_left_over() -> None:
    """Every file among the recordings is one that is compared."""
    files = {
        path.relative_to(golden.FOLDER).as_posix() for path in golden.FOLDER.rglob("*") if path.is_file()
    }
    assert files == set(golden.NAMES)


def test_shapes_keep_names_and_drop_data() -> None:
    """Of an answer, keys, types and codes are kept; texts, numbers, ids and a test's own data are not."""
    answer = {
        "type": "/problems/invalid-event",
        "status": 422,
        "detail": "The event is invalid.",
        "results": [{"reason": "rule", "count": 1}, {"reason": "rule", "count": 2}, {"reason": None}],
        "attributes": {"anything": 1},
    }
    assert shape(answer) == {
        "type": "=/problems/invalid-event",
        "status": "=422",
        "detail": "text",
        "results": [{"count": "number", "reason": "=rule"}, {"reason": "NoneType"}],
        "attributes": "object",
    }


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v1/instances/0f8fad5b-d9cb-469f-a165-70867728950e?x=1", "/v1/instances/*"),
        ("/v1/journeys/cart/pause", "/v1/journeys/cart/pause"),
        ("/v1/keys/0123456789abcdef0123", "/v1/keys/*"),
    ],
)
def test_paths_are_normalized(path: str, expected: str) -> None:
    """Ids, times and the query are no part of a recorded path."""
    assert normalized(path) == expected


def test_recordings_are_compared_by_test() -> None:
    """An answer that is gone and one that is new are shown under their test; tests of one side are only counted."""
    old = {"test_a": {"answers": ["GET /a -> 200"]}, "test_b": {"answers": ["GET /b -> 200"]}}
    new = {"test_a": {"answers": ["GET /a -> 404"]}}
    assert compare(old, new) == [
        "test_a (answers)",
        "  - GET /a -> 200",
        "  + GET /a -> 404",
        "1 tests compared; only in the first 1: test_b; only in the second 0",
    ]
