"""Splits: shares over 10,000 profiles and draws, and who moves when branches change."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence

import pytest

from sojourn.workflows.engine.splitting import branch_at, place_of

PROFILES = 10_000
KEYS = [f"customer-{number}" for number in range(PROFILES)]

CHI_SQUARE = {1: 10.83, 2: 13.82, 3: 16.27, 4: 18.47, 9: 27.88}
"""Bounds that a fair draw keeps in 999 of 1,000 cases, by degrees of freedom. The keys and seeds are fixed."""

SHARES = [
    [50, 50],
    [10, 90],
    [12.5, 87.5],
    [33.33, 33.33, 33.34],
    [1, 9, 30, 60],
    [0.5, 99.5],
    [20, 20, 20, 20, 20],
    [10] * 10,
]


def sticky(key: str, shares: Sequence[float], step: str = "part") -> int:
    """Return the branch of a profile."""
    return branch_at(place_of(key, "j", step), shares)


def drawn() -> Callable[[str, Sequence[float]], int]:
    """Return what draws afresh, from a fixed seed."""
    source = random.Random(7)
    return lambda key, shares: branch_at(source.random() * 100, shares)


@pytest.mark.parametrize("shares", SHARES, ids=str)
@pytest.mark.parametrize("kind", ["sticky", "random"])
def test_shares_are_kept(kind: str, shares: list[float]) -> None:
    """Of 10,000 profiles each branch gets its share, as far as chance allows."""
    take = sticky if kind == "sticky" else drawn()
    counts = Counter(take(key, shares) for key in KEYS)
    expected = [share * PROFILES / 100 for share in shares]
    distance = sum((counts[index] - wanted) ** 2 / wanted for index, wanted in enumerate(expected))
    assert distance < CHI_SQUARE[len(shares) - 1]


def test_a_profile_always_takes_the_same_branch_and_steps_are_independent() -> None:
    """Again and again; and what it took at one step says nothing about another one."""
    assert all(sticky(key, [50, 50]) == sticky(key, [50, 50]) for key in KEYS[:100])
    both = Counter((sticky(key, [50, 50]), sticky(key, [50, 50], "other")) for key in KEYS)
    distance = sum((both[(a, b)] - PROFILES / 4) ** 2 / (PROFILES / 4) for a in (0, 1) for b in (0, 1))
    assert distance < CHI_SQUARE[3]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([50, 50], [40, 40, 20]),
        ([50, 50], [50, 30, 20]),
        ([10, 90], [10, 45, 45]),
        ([10, 90], [10, 30, 30, 30]),
        ([10, 45, 45], [10, 30, 30, 30]),
        ([50, 50], [60, 40]),
        ([50, 50], [25, 25, 25, 25]),
        ([50, 50], [40, 40, 5, 5, 10]),
        ([100, 0], [90, 10]),
    ],
    ids=str,
)
def test_only_those_move_who_must(before: list[float], after: list[float]) -> None:
    """Nobody leaves a branch that did not shrink, nobody joins one that did not grow, and no more move than must."""
    grown = [*before, *([0] * (len(after) - len(before)))]
    moves = Counter((sticky(key, before), sticky(key, after)) for key in KEYS)
    for (old, new), _ in moves.items():
        if old != new:
            assert after[old] < grown[old], f"branch {old} did not shrink"
            assert after[new] > grown[new], f"branch {new} did not grow"
    moved = sum(count for (old, new), count in moves.items() if old != new)
    least = sum(max(0, new - old) for old, new in zip(grown, after, strict=True))
    assert moved == pytest.approx(least * PROFILES / 100, abs=0.02 * PROFILES)


@pytest.mark.parametrize(
    "shares", [[0, 100], [100, 0], [50, 0, 50], [0, 0, 100], [33.3, 33.3, 33.4, 0]], ids=str
)
def test_a_branch_without_share_is_never_taken(shares: list[float]) -> None:
    """Not at the ends of the range either, nor where shares add up to a little less than 100."""
    places = [0.0, 100 - 2**-40, *(place_of(key, "j", "part") for key in KEYS)]
    assert {branch_at(place, shares) for place in places} <= {i for i, share in enumerate(shares) if share}


def test_every_place_belongs_to_a_branch() -> None:
    """Also where decimals cannot be written exactly and the shares miss 100 by a hair."""
    shares = [0.1] * 300 + [70.0000001]
    for number in range(PROFILES):
        assert 0 <= branch_at(number / PROFILES * 100, shares) < len(shares)
    assert 0 <= place_of("", "", "") < 100
    assert 0 <= place_of("\ud800", "j", "s") < 100


def test_places_do_not_change() -> None:
    """Instances of today must find their branches with the code of tomorrow."""
    assert [round(place_of(key, "j", "part"), 6) for key in KEYS[:3]] == PLACES


PLACES = [68.175248, 58.236703, 36.134897]
