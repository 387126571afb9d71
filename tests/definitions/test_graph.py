"""Loops and reach in graphs, against a plain reference implementation."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.definitions.checks.graph import cycles, reachable
from sojourn.definitions.steps.exits import Exit

GRAPHS = st.integers(1, 8).flatmap(
    lambda size: st.lists(st.tuples(st.integers(0, size - 1), st.integers(0, size - 1)), max_size=20).map(
        lambda edges: {str(n): sorted({str(b) for a, b in edges if a == n}) for n in range(size)}
    )
)


def closure(graph: dict[str, list[str]]) -> dict[str, set[str]]:
    """Return what each node reaches in one or more steps, by Warshall's algorithm."""
    reach = {node: set(targets) for node, targets in graph.items()}
    for middle in graph:
        for node in graph:
            if middle in reach[node]:
                reach[node] |= reach[middle]
    return reach


@settings(max_examples=60, deadline=None)
@given(GRAPHS)
def test_cycles(graph: dict[str, list[str]]) -> None:
    """There is one cycle for each group of nodes that reach each other, and each is one in the graph."""
    reach = closure(graph)
    groups = {frozenset(m for m in graph if m in reach[n] and n in reach[m]) for n in graph if n in reach[n]}
    found = cycles(graph)
    assert {frozenset(m for m in graph if m in reach[c[0]] and c[0] in reach[m]) for c in found} == groups
    assert len(found) == len(groups)
    for cycle in found:
        assert all(b in graph[a] for a, b in pairwise([*cycle, cycle[0]]))
        assert len(set(cycle)) == len(cycle)


@settings(max_examples=60, deadline=None)
@given(GRAPHS)
def test_reachable(graph: dict[str, list[str]]) -> None:
    """What is reachable is the first step and all behind it."""
    links = {node: [Exit(target, (), "") for target in targets] for node, targets in graph.items()}
    assert reachable(links, "0") == {"0"} | closure(graph)["0"]


def test_long_chain_needs_no_recursion() -> None:
    """A graph of any length is walked without using the stack."""
    size = 5_000
    chain = {str(n): [str(n + 1)] for n in range(size)} | {str(size): ["0"]}
    assert len(cycles(chain)[0]) == size + 1
