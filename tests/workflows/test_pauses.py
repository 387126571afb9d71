"""Pauses: the reasons for which an instance stands still, whatever the order of the signals."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.workflows.engine.pauses import Pauses

VERSION = 3

ORDERS = st.lists(
    st.tuples(
        st.booleans(),
        st.integers(1, 9),
        st.sampled_from(
            [{}, {"version": VERSION}, {"version": 4}, {"version": None, "through": 3}, {"through": 2}]
        ),
    ),
    unique_by=lambda order: order[1],
    max_size=6,
)


def concerns(scope: dict[str, Any]) -> bool:
    """Return whether an operation of this scope is about instances of version 3."""
    return scope.get("version", VERSION) in (VERSION, None) and scope.get("through", VERSION) >= VERSION


@given(orders=ORDERS, data=st.data())
def test_the_latest_operation_counts_in_whichever_order_signals_arrive(
    orders: list[tuple[bool, int, dict[str, Any]]], data: st.DataObject
) -> None:
    """The one with the highest number among those about this version decides, also over a new run."""
    pauses = Pauses()
    for pause, number, scope in data.draw(st.permutations(orders)):
        pauses.apply(pause, ({"operation": number, **scope},), VERSION)
        again = Pauses()
        again.load(pauses.dump())
        pauses = again
    latest = max(((number, pause) for pause, number, scope in orders if concerns(scope)), default=(0, False))
    assert (pauses.operation, pauses.journey) == latest
    assert not pauses.alone


@pytest.mark.parametrize(
    "message", [(), (None,), ("2026-05-01T09:30:00Z",), ({},), ({"operation": "7"},), ([], 2)]
)
def test_any_other_signal_means_this_instance(message: tuple[Any, ...]) -> None:
    """Whatever it carries; the journey's pause stays."""
    pauses = Pauses()
    pauses.apply(True, ({"operation": 4},), VERSION)
    pauses.apply(True, message, VERSION)
    assert pauses.reasons == ["instance", "journey"]
    pauses.apply(False, message, VERSION)
    assert pauses.reasons == ["journey"]
    assert pauses.any


@pytest.mark.parametrize(("saved", "reasons"), [(True, ["instance"]), (False, []), (None, [])])
def test_what_the_first_releases_carried_is_read(saved: Any, reasons: list[str]) -> None:
    """They carried whether the instance was paused, and nothing else."""
    pauses = Pauses()
    pauses.load(saved)
    assert pauses.reasons == reasons
