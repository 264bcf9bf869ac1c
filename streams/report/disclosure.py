"""Disclosure control: which cells of a table of people may be published, and as what. Pure.

A cell under the threshold is suppressed, an empty one too ("nobody of this group" is also something about the group). Whoever
has the totals could compute it back, so other cells are suppressed with it, until the interval in which the readers can place
each small cell is at least as wide as the threshold. The interval is exact, not a rule of thumb: a table with its totals
is a circulation in a network, what a suppressed cell may be is a maximum flow in it (ADR 0110).

What stays is rounded. Of the same table published again, a figure stays as it was until it has moved by the threshold, and what
was suppressed stays suppressed, so that the difference of two releases says nothing about few people.

**Source**: shared rights baseline 6: published tables: cells under 10 suppressed, with complementary suppression.
"""

from __future__ import annotations

import heapq
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from streams.errors import UsageError

THRESHOLD = 10
"""Persons. Smaller cells are suppressed, smaller differences are not shown."""

ROUND_TO = 5
"""Published figures are multiples of this."""

TOTAL = "*"
"""The key of a total."""

NEVER_TOGETHER = (frozenset({"citizenship", "post", "day"}),)
"""Dimensions no published table may have at once."""

Key = tuple[str, str]
"""Row and column; either may be ``TOTAL``."""

_WITHOUT_END = 1 << 60

_AMPLE = 1 << 20
"""Room beyond this is as good as without end: the search for more ends."""


@dataclass(frozen=True, slots=True)
class Release:
    """A table as it may be published.

    Attributes:
        rows: name of the dimension down.
        columns: name of the dimension across; empty for a table with one column.
        figures: every cell and total by (row, column): a rounded number, or none where it is suppressed.
        exact: the counts behind the figures; not for publication.
    """

    rows: str
    columns: str
    figures: Mapping[Key, int | None]
    exact: Mapping[Key, int]


@dataclass(frozen=True, slots=True)
class Arc:
    """A cell as an arc of the network: ``start`` to ``end`` carries ``count`` people."""

    key: Key
    start: str
    end: str
    count: int


def release(
    counts: Mapping[Key, int],
    *,
    rows: str,
    columns: str = "",
    before: Release | None = None,
    nested: Iterable[Release] = (),
    secret: Callable[[Key], bool] = lambda _: False,
    known: Callable[[Key], bool] = lambda _: False,
    threshold: int = THRESHOLD,
    round_to: int = ROUND_TO,
) -> Release:
    """Returns a table as it may be published.

    Args:
        counts: people by (row, column), without totals; for a table with one column the column is ``""``. Combinations that
            are not in it count as 0.
        rows: name of the dimension down, e.g. ``oblast``.
        columns: name of the dimension across.
        before: the same table as last published, if it was.
        nested: tables already published of a part (or a whole) of the same people, with the same rows and columns: their
            difference to this one is looked at as a table too.
        secret: whether another published table suppresses a cell's people; then this one does.
        known: whether another published table shows them; then suppressing them here would hide nothing.
        threshold: persons.
        round_to: published figures are multiples of it; 1 rounds nothing.

    Raises:
        UsageError: these dimensions may never be published together, a count is negative, or too much is known already for any
            such table to keep small counts secret.
    """
    dimensions = {name.strip() for name in f"{rows},{columns}".split(",")}
    for never in NEVER_TOGETHER:
        if never <= dimensions:
            raise UsageError(f"A table by {', '.join(sorted(never))} at once is never published: leave one of them out.")
    exact = with_totals(counts)
    small = {key for key, count in exact.items() if count < threshold}
    if before is not None:
        small |= {key for key in exact if before.figures.get(key, 0) is None}
    small |= {key for key in exact if secret(key)}
    hidden = _hidden(exact, small, tuple(nested), threshold, frozenset(key for key in exact if known(key)) - small)
    figures: dict[Key, int | None] = {}
    for key, count in exact.items():
        figures[key] = None if key in hidden else rounded(count, round_to)
        held = before.figures.get(key) if before is not None else None
        if before is not None and held is not None and key not in hidden and abs(count - before.exact[key]) < threshold:
            figures[key], exact[key] = held, before.exact[key]
    return Release(rows, columns, figures, exact)


def _hidden(
    exact: Mapping[Key, int], small: set[Key], nested: tuple[Release, ...], threshold: int, known: frozenset[Key]
) -> frozenset[Key]:
    """Suppresses until neither the table nor its difference to any nested one tells a small count."""
    hidden = protect(exact, small, threshold, known=known)
    while True:
        more: set[Key] = set()
        for other in nested:
            secret = hidden | {key for key, figure in other.figures.items() if figure is None}
            difference = _difference(exact, other.exact)
            few = {key for key, count in difference.items() if count < threshold}
            more |= protect(difference, few, threshold, already=secret) - secret
        if not more:
            return hidden
        hidden = protect(exact, small, threshold, already=hidden | more, known=known)


def _difference(one: Mapping[Key, int], other: Mapping[Key, int]) -> dict[Key, int]:
    """Returns what is in the one table and not in the other.

    Raises:
        UsageError: they have other rows or columns, or neither contains the other.
    """
    if one.keys() != other.keys():
        raise UsageError("Nested tables must have the same rows and columns; fill what is missing with 0.")
    difference = {key: one[key] - other[key] for key in one}
    signs = {count > 0 for count in difference.values() if count}
    if len(signs) > 1:
        raise UsageError("Of nested tables one must be of a part of the other's people; here each has cells that are larger.")
    return {key: abs(count) for key, count in difference.items()}


def with_totals(counts: Mapping[Key, int]) -> dict[Key, int]:
    """Returns the full table: every combination of row and column, with its totals.

    Raises:
        UsageError: a count is negative.
    """
    for key, count in counts.items():
        if count < 0 or TOTAL in key:
            raise UsageError(f"The cell {key} is {count}: expected a count of people, and no totals among the cells.")
    downwards = sorted({row for row, _ in counts})
    across = sorted({column for _, column in counts})
    full: dict[Key, int] = {(row, column): counts.get((row, column), 0) for row in downwards for column in across}
    cells = dict(full)
    if len(across) > 1:
        for row in downwards:
            full[row, TOTAL] = sum(cells[row, column] for column in across)
    for column in across:
        full[TOTAL, column] = sum(cells[row, column] for row in downwards)
    if len(across) > 1:
        full[TOTAL, TOTAL] = sum(cells.values())
    return full


def rounded(count: int, base: int) -> int:
    """Returns the nearest multiple of the base, halves upwards."""
    return (2 * count + base) // (2 * base) * base


def protect(
    exact: Mapping[Key, int],
    small: Iterable[Key],
    threshold: int = THRESHOLD,
    already: Iterable[Key] = (),
    known: frozenset[Key] = frozenset(),
) -> frozenset[Key]:
    """Returns what to suppress: the small cells, and as many others as it takes.

    Args:
        exact: the full table with its totals.
        small: the cells that must not be known.
        threshold: the least width of the interval readers may place each of them in.
        already: what is suppressed anyway.
        known: what can be read elsewhere: suppressing it would hide nothing.

    Raises:
        UsageError: so much is known elsewhere that no suppression here is enough.
    """
    network = _arcs(exact)
    wanted = sorted(small)
    hidden = set(wanted) | set(already)
    while True:
        narrow = next((key for key in wanted if _width(network, hidden - known, key) < threshold), None)
        if narrow is None:
            return frozenset(hidden)
        free = {key: arc for key, arc in network.items() if key == narrow or key not in known}
        more = _cheapest_cycle(free, hidden, narrow, threshold) or (free.keys() - hidden)
        if not more:
            raise UsageError(
                "This table cannot be published: with what stands published, small counts could be computed from it.",
                "Publish it with fewer cells, e.g. by one dimension.",
            )
        hidden |= more


def interval(exact: Mapping[Key, int], hidden: Iterable[Key], key: Key) -> tuple[int, int | None]:
    """Returns the least and greatest value readers can deduce for a suppressed cell; none: no greatest.

    Args:
        exact: the full table with its totals.
        hidden: what is suppressed; all else is known exactly.
        key: one of the suppressed.
    """
    network = _arcs(exact)
    down, up = _room(network, set(hidden), key, _WITHOUT_END)
    return network[key].count - down, None if up >= _WITHOUT_END else network[key].count + up


def _arcs(exact: Mapping[Key, int]) -> dict[Key, Arc]:
    """A row's people flow from its total through its cells to the columns, and round again: what goes in comes out."""
    one_column = (TOTAL, TOTAL) not in exact
    network = {}
    for (row, column), count in exact.items():
        if one_column:
            ends = ("all", "rows") if row == TOTAL else ("rows", "all")
        else:
            ends = (f"row {row}" if row != TOTAL else "all rows", f"column {column}" if column != TOTAL else "all columns")
            if (row == TOTAL) != (column == TOTAL):
                ends = (ends[1], ends[0])
        network[row, column] = Arc((row, column), *ends, count)
    return network


def _width(network: Mapping[Key, Arc], hidden: set[Key], key: Key) -> int:
    return sum(_room(network, hidden, key, _AMPLE))


def _room(network: Mapping[Key, Arc], hidden: set[Key], key: Key, enough: int) -> tuple[int, int]:
    """How far a cell's count can fall and rise while everything published stays as it is."""
    arc = network[key]
    left = defaultdict[str, dict[str, int]](dict)
    others = [network[other] for other in hidden if other != key]
    for one in others:
        left[one.end][one.start] = left[one.end].get(one.start, 0) + one.count  # it can fall to nothing
    for one in others:
        left[one.start][one.end] = _WITHOUT_END  # it can rise
    up = _most(left, arc.end, arc.start, enough)
    down = min(arc.count, _most(left, arc.start, arc.end, enough))
    return down, up


def _most(capacity: Mapping[str, Mapping[str, int]], source: str, sink: str, enough: int) -> int:
    """Returns the maximum flow (shortest augmenting paths), or ``enough`` when it is at least that."""
    left = {node: dict(to) for node, to in capacity.items()}
    flow = 0
    while flow < enough:
        came: dict[str, str] = {source: source}
        queue = deque([source])
        while queue and sink not in came:
            node = queue.popleft()
            for following, room in left.get(node, {}).items():
                if room > 0 and following not in came:
                    came[following] = node
                    queue.append(following)
        if sink not in came:
            return flow
        path = [sink]
        while path[-1] != source:
            path.append(came[path[-1]])
        steps = [(path[at + 1], path[at]) for at in range(len(path) - 1)]
        push = min(left[start][end] for start, end in steps)
        for start, end in steps:
            left[start][end] -= push
            left.setdefault(end, {})[start] = left.get(end, {}).get(start, 0) + push
        flow += push
    return enough


def _cheapest_cycle(network: Mapping[Key, Arc], hidden: set[Key], key: Key, need: int) -> set[Key]:
    """Returns the cells whose suppression gives a cell room for the least information lost; empty if none can."""
    arc = network[key]
    steps = defaultdict[str, list[tuple[str, int, Key]]](list)
    for other, one in network.items():
        if other != key:
            price = 0 if other in hidden else one.count + 1
            steps[one.start].append((one.end, price, other))
            if one.count >= need:
                steps[one.end].append((one.start, price, other))
    best: dict[str, int] = {}
    queue: list[tuple[int, str, tuple[Key, ...]]] = [(0, arc.end, ())]
    while queue:
        paid, node, taken = heapq.heappop(queue)
        if node in best:
            continue
        best[node] = paid
        if node == arc.start:
            return set(taken) - hidden
        for following, price, other in steps[node]:
            if following not in best:
                heapq.heappush(queue, (paid + price, following, (*taken, other)))
    return set()
