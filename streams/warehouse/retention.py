"""How long ClickHouse keeps what is about people: the policy's retention data as the TTL of tables.

A row cannot know when its person left, so it is kept as long as it may matter: the longest title that a record can give, then the
longer of the two clocks, then the notice. Only the workers' erasure is to the day; this is the end after which nothing is left
by mistake. It counts from the arrival in the log, so history published late is kept as long, and a replay keeps the same.
**Source**: shared rights baseline 7; ADR 0138.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from streams.policy.model import Policy
from streams.records import INPUTS, RELAYED, PersonEvent
from streams.warehouse.columns import quote
from streams.warehouse.engine import Engine
from streams.warehouse.sql import for_cluster

_DECISIONS = ("alerts", "alerts_latest", "findings", "cases")


def kept_days(policy: Policy, today: int) -> dict[str, tuple[str, int]]:
    """Returns for each table with people in it the column that says when a row arrived, and for how many days it is kept.

    Args:
        policy: whose retention data.
        today: the values that hold on this day; days since 1970-01-01.

    Returns:
        Nothing where the policy sets no clocks: then everything is kept.
    """
    rules = policy.at(today)
    years = max(rules.retention_after_exit_years, rules.retention_no_exit_years)
    if not years or not rules.retention_longest_title_years:
        return {}
    days = 366 * (years + rules.retention_longest_title_years) + rules.retention_notice_days
    people = [f"raw_{kind.NAME}" for kind in (*INPUTS, *RELAYED) if issubclass(kind, PersonEvent)]
    kept = dict.fromkeys((*people, *_DECISIONS), ("received_at", days))
    # What a dead letter holds is whatever came: nobody works on one for years.
    return kept | {
        "crossings_by_person": ("received_on", days),
        "dead_letters": ("received_at", 366 * rules.retention_after_exit_years),
    }


def apply(engine: Engine, kept: Mapping[str, tuple[str, int]], *, cluster: str = "") -> int:
    """Gives tables their TTL, and takes it from those that have none any more; rows go when the engine merges their parts.

    Args:
        engine: where; its user may alter tables.
        kept: as ``kept_days`` returns it.
        cluster: name of the cluster the tables are on; empty for a single node.

    Returns:
        How many tables were changed.
    """
    there = engine.select(
        "SELECT name, engine_full FROM system.tables "  # noqa: S608  # quoted
        f"WHERE database = {quote(engine.database)} AND engine LIKE '%MergeTree' ORDER BY name"
    ).rows
    changed = 0
    for name, full in there:
        found = re.search(r" TTL (.*?)(?: SETTINGS |$)", str(full))
        is_so = found[1] if found else ""
        column, days = kept.get(str(name), ("", 0))
        wanted = f"toDateTime({column}) + toIntervalDay({days})" if column else ""
        if is_so == wanted:
            continue
        statement = f"ALTER TABLE {name} /*cluster*/ " + (f"MODIFY TTL {wanted}" if wanted else "REMOVE TTL")
        engine.command(for_cluster(f"{statement} SETTINGS materialize_ttl_after_modify = 0", cluster))
        changed += 1
    return changed
