"""What a new version of a journey may not change, since there are entries by the version before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sojourn.definitions.checks.graph import cycles
from sojourn.definitions.checks.jumps import loop_problem
from sojourn.definitions.codes import Code
from sojourn.definitions.compiled import jump_targets
from sojourn.store.errors import StoreError

ENDED = ("stopped", "finished")
"""States of a journey in which nobody is in it."""


@dataclass(frozen=True, slots=True)
class BrokenRule:
    """A rule of versions that a publication breaks.

    Attributes:
        journey: The journey.
        field: Where it stands in the journey's document, such as `entry.per`.
        message: What is wrong.
        hint: What to do instead.
        code: The stable code of such problems.
    """

    journey: str
    field: str
    message: str
    hint: str
    code: str = "E503"


class PublicationRefused(StoreError):
    """A publication that breaks rules of versions. Nothing of it was stored.

    Attributes:
        rules: The rules that it breaks.
    """

    def __init__(self, rules: list[BrokenRule]) -> None:
        super().__init__("; ".join(f"{rule.journey}: {rule.field}: {rule.message}" for rule in rules))
        self.rules = rules


def once_only(before: Mapping[str, Any], after: Mapping[str, Any], *, entered: bool) -> BrokenRule | None:
    """Return the problem of a version that lets profiles in again where the one before it did not, or the reverse.

    Args:
        before: The compiled journey of the newest version.
        after: The one that is to be published.
        entered: Whether any profile has entered the journey.
    """
    had, has = (version.get("reentry", {}).get("allow", True) for version in (before, after))
    if had == has or not entered:
        return None
    what = "lets each profile in again" if had else "lets each profile in only once"
    return BrokenRule(
        after["name"],
        "reentry.allow",
        f"The version that is published {what}, which is not to change once profiles have entered the journey",
        "Publish it under another name. How long after its last entry a profile may enter again can change.",
    )


def jumps(
    published: Mapping[str, Mapping[str, Any]], new: Mapping[str, Mapping[str, Any]]
) -> list[BrokenRule]:
    """Return the problems of jumps: to journeys that are nowhere, and in circles over several projects.

    Args:
        published: The compiled journey of each newest version.
        new: Those that are to be published.
    """
    links = {name: jump_targets(definition) for name, definition in {**published, **new}.items()}
    broken = [
        BrokenRule(
            name,
            "steps",
            f"It jumps to `{target}`, and no journey of that name is published",
            "Correct the name, or publish that journey first.",
            Code.UNKNOWN_JOURNEY.value,
        )
        for name in sorted(new)
        for target in links[name]
        if target not in links
    ]
    known = {name: [target for target in found if target in links] for name, found in links.items()}
    for cycle in cycles(known):
        if (first := next((name for name in cycle if name in new), None)) is not None:
            turned = cycle[cycle.index(first) :] + cycle[: cycle.index(first)]
            broken.append(BrokenRule(first, "steps", *loop_problem(turned), Code.JUMP_LOOP.value))
    return broken


def second_key(before: Mapping[str, Any], after: Mapping[str, Any], state: str) -> BrokenRule | None:
    """Return the problem of a version with another second key than the one before it, or None.

    Instances that run are found by the second key under which they entered: with another one, their events would
    reach nobody, and a profile could be in the journey twice.

    Args:
        before: The compiled journey of the newest version.
        after: The one that is to be published.
        state: The journey's state.
    """
    had, has = (version.get("entry", {}).get("per") for version in (before, after))
    if had == has or state in ENDED:
        return None
    what = "no second key" if had is None else f"the second key `{had}`"
    return BrokenRule(
        after["name"],
        "entry.per",
        f"The version that is published has {what}, which is not to change while profiles may be in the journey",
        "Publish it under another name, or stop the journey first.",
    )
