"""What crosses a continue-as-new comes back as it was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.workflows.engine.inbox import Inbox
from sojourn.workflows.engine.messages import EventMessage
from sojourn.workflows.engine.values import pack, unpack

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.datetimes(timezones=st.just(UTC))
    | st.timedeltas(min_value=timedelta(days=-9999), max_value=timedelta(days=9999)),
    lambda children: (
        st.lists(children, max_size=4)
        | st.dictionaries(st.sampled_from(["a", "$time", "$duration", "$plain", ""]), children, max_size=3)
    ),
)


@given(JSON)
def test_packing_loses_nothing(value: object) -> None:
    """Timestamps and durations stay such; data that looks like a mark stays data."""
    import json

    assert unpack(json.loads(json.dumps(pack(value)))) == value


def test_offsets_survive() -> None:
    """A timestamp keeps the zone offset in which it was computed."""
    value = datetime(2026, 3, 29, 2, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    assert unpack(pack(value)).isoformat() == value.isoformat()


def message(number: int, name: str = "a", data: object = None) -> EventMessage:
    """Return an event."""
    return EventMessage(f"e{number}", name, datetime(2026, 1, 1, tzinfo=UTC), data)


def test_an_inbox_is_the_same_after_a_passage() -> None:
    """Pending, remembered and known events, the last of each kind, and what was dropped."""
    inbox = Inbox(["a", "b"], max_pending=3, remember=True)
    for number, name in enumerate("aabab"):
        assert not inbox.knows(f"e{number}")
        inbox.put(message(number, name, {"n": number}))
    inbox.take()
    copy = Inbox(["a", "b"], max_pending=3, remember=True)
    copy.load(inbox.dump(message(9)), message(9))
    assert copy.dump(message(9)) == inbox.dump(message(9))
    assert copy.knows("e0")
    assert copy.dropped == 2
    assert [event.id for event in copy.earlier()] == ["e0"]
    assert copy.latest == {"a": {"n": 0}}


@pytest.mark.parametrize("size", [10, 1000, 100_000])
def test_an_inbox_is_bounded_in_bytes(size: int) -> None:
    """However large the events, what is pending and remembered stays under the limits; one is always kept."""
    from sojourn.workflows.engine import limits

    inbox = Inbox(["a"], max_pending=10_000, remember=True)
    for number in range(3000 if size < 100_000 else 20):
        inbox.put(message(number, "a", "x" * size))
    assert len(inbox) >= 1
    assert len(inbox) * size <= limits.PENDING_BYTES + size
    inbox.discard()
    assert len(inbox.earlier()) * size <= limits.REMEMBERED_BYTES
