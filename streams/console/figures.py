"""What the overview, the posts' and the employers' pages ask the warehouse; an oblast operator's questions carry the oblast."""

from __future__ import annotations

from streams.console.filters import OPEN
from streams.console.reading import Fields, Reading
from streams.warehouse.columns import quote

EXPIRING_DAYS = (1, 3, 7, 14, 30)
"""Last lawful days within so many days are counted, the nearest first (policy: reminder_days)."""
SILENT_HOURS = 24
"""A post that vouches for nothing newer is shown as silent."""

_TODAY = "(SELECT today FROM core_clock)"
_OPEN = f"state IN ({', '.join(quote(one) for one in OPEN)})"


def _and(oblast: str, column: str = "oblast") -> str:
    return f" AND {column} = {quote(oblast)}" if oblast else ""


def expiring(reading: Reading, oblast: str) -> list[tuple[int, int]]:
    """Returns how many people's last lawful day, by reminders that hold, lies within so many days: (days, people)."""
    columns = ", ".join(f"uniqExactIf(subject, deadline_on <= addDays({_TODAY}, {days}))" for days in EXPIRING_DAYS)
    rows = reading.ask(
        f"SELECT [{columns}] AS people FROM findings_now "  # noqa: S608  # checked oblast
        f"WHERE rule = 'expiry_reminder' AND {_OPEN} AND deadline_on >= {_TODAY}{_and(oblast)}"
    )
    return list(zip(EXPIRING_DAYS, rows[0]["people"], strict=True)) if rows else []


def present(reading: Reading, oblast: str) -> Fields:
    """Returns foreigners present as an interval: ``low``, ``middle``, ``high``."""
    return reading.ask(
        "SELECT sum(p.low) AS low, sum(p.middle) AS middle, sum(p.high) AS high "  # noqa: S608
        "FROM mart_foreigners_present AS p "
        f"WHERE 1{_and(oblast)}"
    )[0]


def quotas(reading: Reading, oblast: str) -> list[Fields]:
    """Returns quota lines of the log's year, those used up or to be used up soonest first."""
    return reading.ask(
        f"SELECT * FROM mart_quota_cockpit WHERE 1{_and(oblast)} "  # noqa: S608
        "ORDER BY exhausted_on IS NULL, exhausted_on, used / greatest(allocated, 1) DESC, quota, "
        "oblast, category, sector LIMIT 40"
    )


def overdue(reading: Reading, oblast: str) -> list[Fields]:
    """Returns open cases by stage: how many, of them overdue, the oldest day due."""
    return reading.ask(
        "SELECT stage, sum(open_cases) AS open, sum(c.overdue) AS late, min(c.oldest_due_on) AS "  # noqa: S608
        "oldest FROM mart_cases_overdue AS c "
        f"WHERE 1{_and(oblast)} GROUP BY stage ORDER BY late DESC, stage"
    )


def posts(reading: Reading, oblast: str) -> list[Fields]:
    """Returns every post that ever reported: how far it vouches for its records, outages, the longest silent first."""
    return reading.ask(f"SELECT * FROM mart_post_coverage WHERE 1{_and(oblast)} ORDER BY silent_hours DESC, post")  # noqa: S608


def post_flows(reading: Reading, post: str) -> list[Fields]:
    """Returns crossings at a post by day, the last 30 days with any, the newest first."""
    return reading.ask(
        "SELECT day, sumIf(crossings, direction = 'entry') AS entries, sumIf(crossings, direction "  # noqa: S608
        "= 'exit') AS exits, "
        f"sumIf(crossings, direction = 'refusal') AS refusals FROM mart_daily_flows WHERE post = {quote(post)} "
        "GROUP BY day ORDER BY day DESC LIMIT 30"
    )


def post_lateness(reading: Reading, post: str) -> list[Fields]:
    """Returns how late the post's records were written and received, and whether numbers are missing; by source."""
    return reading.ask(
        "SELECT l.*, c.missing AS missing FROM mart_lateness_by_publisher AS l "  # noqa: S608
        "LEFT JOIN mart_completeness_by_publisher AS c ON c.source = l.source "
        f"WHERE l.source = {quote('post:' + post)} OR startsWith(l.source, {quote('post:' + post + ':')}) ORDER BY l.source"
    )


def post_outages(reading: Reading, post: str) -> list[Fields]:
    """Returns the post's outages, the newest first."""
    return reading.ask(
        "SELECT outage_id, min(o.from_at) AS began, max(o.until_at) AS ended, countIf(kind = "  # noqa: S608
        "'backfilled') > 0 AS backfilled "
        f"FROM core_post_outage AS o WHERE subject = {quote(post)} GROUP BY outage_id ORDER BY began DESC LIMIT 30"
    )


def employer_people(reading: Reading, employer: str, oblast: str) -> Fields:
    """Returns people by what ties them to an employer: permits in force, contracts that run, found at work in 90 days."""
    name = quote(employer)
    return reading.ask(
        "SELECT (SELECT uniqExact(subject) FROM core_work_permits "  # noqa: S608
        f"WHERE employer = {name} AND kind <> 'revoked' AND {_TODAY} BETWEEN valid_from_on AND "
        f"valid_until_on{_and(oblast)}) AS permits, "
        f"(SELECT uniqExact(subject) FROM core_labour_contract AS c WHERE employer = {name} AND "
        f"kind = 'concluded' AND from_on <= {_TODAY} "
        f"AND (until_on IS NULL OR until_on >= {_TODAY}) AND contract_id NOT IN "
        f"(SELECT contract_id FROM core_labour_contract WHERE kind = 'ended'){_and(oblast)}) AS contracts, "
        f"(SELECT uniqExact(subject) FROM core_inspection WHERE employer = {name} AND kind = 'worker_found' "
        f"AND occurred_on >= subtractDays({_TODAY}, 90){_and(oblast)}) AS found"
    )[0]


def employer_permits(reading: Reading, employer: str, oblast: str) -> list[Fields]:
    """Returns an employer's permits by type, category, sector and oblast: how many, of them in force, the next to end."""
    return reading.ask(
        f"SELECT permit_type, category, sector, oblast, count() AS permits, countIf({_TODAY} "  # noqa: S608
        f"BETWEEN valid_from_on AND valid_until_on "
        f"AND kind <> 'revoked') AS in_force, minIf(valid_until_on, valid_until_on >= {_TODAY}) AS "
        f"next_end FROM core_work_permits "
        f"WHERE employer = {quote(employer)}{_and(oblast)} GROUP BY permit_type, category, sector, "
        f"oblast ORDER BY permits DESC LIMIT 50"
    )


def employer_share(reading: Reading, employer: str) -> Fields | None:
    """Returns the share of citizens by the latest declaration, against the least share then; none without a declaration."""
    rows = reading.ask(f"SELECT * FROM mart_citizens_share WHERE employer = {quote(employer)} LIMIT 1")  # noqa: S608
    return rows[0] if rows else None


def employer_quotas(reading: Reading, employer: str, oblast: str) -> list[Fields]:
    """Returns the labour quota lines that the employer's permits of the log's year count in."""
    return reading.ask(
        "SELECT DISTINCT q.* FROM mart_quota_cockpit AS q INNER JOIN (SELECT DISTINCT oblast, "  # noqa: S608
        "category, sector FROM core_work_permits "
        f"WHERE employer = {quote(employer)}{_and(oblast)}) AS p ON q.oblast = p.oblast "
        "WHERE q.quota = 'labour' AND (q.category = '' OR q.category = p.category) AND (q.sector = "
        "'' OR q.sector = p.sector) "
        "ORDER BY q.oblast, q.category, q.sector LIMIT 20"
    )
