"""The branch of a `split` that a profile takes.

Every profile has a place from 0 to 100 at each split, and the branches share these places out: the first branch has
those from 0 upwards, the second those from 100 downwards, the third those that are left from below, the fourth from
above, and so on. So the places of the first two branches depend only on their own shares, and a branch that is appended
gets its places from branches that shrank: if 50/50 becomes 40/40/20, or 10/90 becomes 10/45/45, only profiles of a
branch that shrank move, and all of them to the new one. Consecutive ranges would move 30 of 100 profiles in the first
case, and rendezvous hashing nearly a third of an unchanged control group in the second. No rule that knows only today's
shares can do as well for every further branch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


def place_of(key: str, journey: str, step: str) -> float:
    """Return a profile's place at a step, from 0 to below 100: the same at each visit.

    Args:
        key: The profile key.
        journey: The journey's name: every version has the same places.
        step: The step's id: places at different steps are independent.
    """
    text = "\x00".join((key, journey, step))
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    # 53 bits, which a float holds exactly: 64 bits could be rounded up to 100.
    return (int.from_bytes(digest, "big") >> 11) / 2**53 * 100


def branch_at(place: float, shares: Sequence[float]) -> int:
    """Return the branch to which a place belongs.

    Args:
        place: From 0 to below 100.
        shares: Percent of each branch, in the order of the definition.

    Returns:
        The branch's index. A branch whose share is 0 is never taken, whatever the rounding.
    """
    low, high = 0.0, 100.0
    last = len(shares) - 1
    for index, share in enumerate(shares):
        if share > 0:
            last = index
        if index % 2 == 0:
            low += share
            if place < low:
                return index
        else:
            high -= share
            if place >= high:
                return index
    return last
