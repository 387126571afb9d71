"""Graphs: what can be reached from a node, and cycles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sojourn.definitions.steps.exits import Exit

Links = Mapping[str, list[Exit]]
"""The ways out of each step."""


def reachable(links: Links, first: str) -> set[str]:
    """Return the steps that can be reached from one, itself included."""
    seen = {first}
    waiting = [first]
    while waiting:
        for way in links.get(waiting.pop(), []):
            if way.target is not None and way.target in links and way.target not in seen:
                seen.add(way.target)
                waiting.append(way.target)
    return seen


def cycles(links: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Return one shortest cycle for each group of nodes that lead to each other.

    Args:
        links: The nodes to which each node leads.

    Returns:
        Cycles, each beginning at the node that comes first in `links`.
    """
    order = {name: index for index, name in enumerate(links)}
    found = []
    for group in _groups(links):
        start = min(group, key=order.__getitem__)
        cycle = _shortest_cycle(links, group, start)
        if cycle:
            found.append(cycle)
    return sorted(found, key=lambda cycle: order[cycle[0]])


def _shortest_cycle(links: Mapping[str, Iterable[str]], group: set[str], start: str) -> list[str]:
    """Return the shortest way from a node back to it, by breadth-first search; empty if there is none."""
    before: dict[str, str] = {}
    waiting = [start]
    for node in waiting:
        for target in links.get(node, ()):
            if target == start:
                cycle = [node]
                while cycle[-1] != start:
                    cycle.append(before[cycle[-1]])
                return cycle[::-1]
            if target in group and target not in before:
                before[target] = node
                waiting.append(target)
    return []


def _groups(links: Mapping[str, Iterable[str]]) -> list[set[str]]:
    """Return the strongly connected components: Tarjan's algorithm, without recursion."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    open_nodes: list[str] = []
    is_open: set[str] = set()
    groups = []
    for root in links:
        if root in index:
            continue
        work = [(root, iter(list(links[root])))]
        index[root] = low[root] = len(index)
        open_nodes.append(root)
        is_open.add(root)
        while work:
            node, targets = work[-1]
            for target in targets:
                if target not in links:
                    continue
                if target not in index:
                    index[target] = low[target] = len(index)
                    open_nodes.append(target)
                    is_open.add(target)
                    work.append((target, iter(list(links[target]))))
                    break
                if target in is_open:
                    low[node] = min(low[node], index[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    at = open_nodes.index(node)
                    group = set(open_nodes[at:])
                    del open_nodes[at:]
                    is_open -= group
                    groups.append(group)
    return groups
