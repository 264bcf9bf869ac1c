# ruff: noqa: E501  # SQL as it is read
"""A country's crossings made by the engine itself: as many as are asked for, the same ones every time."""

from __future__ import annotations

from collections.abc import Iterator

from streams.policy.load import load
from streams.warehouse.columns import quote

TOPIC = "bench.people"
PARTITIONS = 4
PER_DAY = 81_000
"""Crossings a day: the first half of 2025 had so many."""

PER_PERSON = 10
FIRST_DAY = "2022-01-01"
CITIZENSHIPS = ("KAZ", "RUS", "UZB", "KGZ", "CHN", "TJK", "TUR", "IND", "AZE", "DEU", "UKR", "BLR", "KOR", "GEO", "ARM", "USA")


def _array(values: list[str]) -> str:
    return f"[{', '.join(map(quote, values))}]"


def statements(crossings: int) -> Iterator[str]:
    """Yields the statements that make a log of that many crossings and what goes with them.

    Ten crossings a person: five stays of up to 90 days, the last exit of every twentieth not there; one crossing in 200 delivered
    twice, one in 1000 withdrawn by a correction, one in 2000 a dead letter; a notice of arrival for one crossing in 28, one person in 1000
    linked with another; alerts of two versions for one crossing in 50, a case
    of three versions for one in 200.

    Args:
        crossings: how many; a multiple of 40.
    """
    codes = load("kz").codes
    posts = sorted(codes.posts)
    oblasts = [codes.posts[post].oblast for post in posts]
    people = crossings // PER_PERSON
    term = max(1, crossings // PER_DAY // (PER_PERSON // 2))
    model = f"""
        SELECT number AS n, number % {people} AS person, intDiv(number, {people}) AS turn, sipHash64(person, intDiv(turn, 2)) AS h,
               'p1-' || lower(hex(MD5(toString(person)))) AS subject,
               intDiv(turn, 2) * {term} + h % {term} + if(turn % 2, 1 + intDiv(h, 1000) % {max(1, min(89, term))}, 0) AS day,
               toDateTime64('{FIRST_DAY} 04:00:00.000', 3, 'UTC') + toIntervalDay(day)
                   + toIntervalSecond(intDiv(h, 7) % 28800 + if(turn % 2, 28801, 0)) AS at,
               1 + intDiv(sipHash64(person, 'post', turn) % 1000 * (sipHash64(turn, person) % 1000), 1000) % {len(posts)} AS post_no,
               {_array(list(CITIZENSHIPS))}[1 + intDiv(cityHash64(person) % 256, 1 + intDiv(cityHash64(person), 256) % 16) % 16] AS c,
               multiIf(turn = 9 AND person % 20 = 0, 'refusal', turn % 2 = 0, 'entry', 'exit') AS what"""  # numbers
    columns = (
        "event_id, subject, occurred_at, recorded_at, source, source_seq, direction, post, citizenship, purpose, document, "
        "transport, visa_id, refusal_reason, occurred_on, oblast, topic, partition, offset, received_at"
    )

    def rows(position: str, source: str) -> str:
        return f"""
        INSERT INTO raw_border_crossing ({columns})
        SELECT reinterpretAsUUID(sipHash128(n)), subject, at, at + 1, 'post:' || {_array(posts)}[post_no], n, what, {_array(posts)}[post_no],
               c, ['private', 'tourism', 'work', 'business', 'transit', 'study'][1 + h % 6], 'passport', ['road', 'air', 'rail'][1 + h % 3],
               NULL, if(what = 'refusal', 'ban', NULL), toDate32(at + toIntervalHour(5)), {_array(oblasts)}[post_no],
               '{TOPIC}', n % {PARTITIONS}, {position}, at + 2
        FROM ({model} FROM {source})"""  # noqa: S608  # our own words and numbers

    step = 5_000_000
    for start in range(0, crossings, step):
        yield rows(f"intDiv(n, {PARTITIONS})", f"numbers({start}, {min(step, crossings - start)})")
    repeated = crossings // 200
    again = f"(SELECT (number * 199) AS number FROM numbers({repeated}))"  # noqa: S608  # a number
    yield rows(f"intDiv({crossings}, {PARTITIONS}) + intDiv(n, {PARTITIONS})", again)
    yield f"""
        INSERT INTO raw_correction (event_id, subject, occurred_at, recorded_at, source, source_seq, supersedes, reason, occurred_on,
                                    topic, partition, offset, received_at)
        SELECT reinterpretAsUUID(sipHash128(n, 'correction')), subject, at + 86400, at + 86400, 'register:border', n,
               reinterpretAsUUID(sipHash128(n)), 'not_this_person', toDate32(at + 86400), '{TOPIC}', n % {PARTITIONS},
               intDiv({crossings * 2}, {PARTITIONS}) + intDiv(n, {PARTITIONS}), at + 86402
        FROM ({model} FROM (SELECT number * 997 AS number FROM numbers({crossings // 1000})))"""  # noqa: S608
    yield f"""
        INSERT INTO dead_letters (topic, partition, offset, timestamp_at, key, value, code, reason, event_type, source,
                                  log_partition, log_offset, received_at)
        SELECT '{TOPIC}', number * 1999 % {PARTITIONS}, intDiv(number * 1999, {PARTITIONS}), toDateTime64('{FIRST_DAY} 00:00:00', 3, 'UTC'),
               NULL, '', 'unknown_post', 'not in the policy', 'border_crossing', 'bench', 0, number,
               toDateTime64('{FIRST_DAY} 00:00:00', 3, 'UTC')
        FROM numbers({crossings // 2000})"""  # noqa: S608
    alert = """SELECT reinterpretAsUUID(sipHash128(n, 'alert')), v, subject, rule, 'breach',
               if(v = 1, 'raised', ['amended', 'resolved', 'retracted', 'acknowledged'][1 + h % 4]),
               ['established', 'presumed', 'uncertain'][1 + intDiv(h, 5) % 3], 'medium', toDate32(at + toIntervalHour(5)),
               toDate32(at) + 30, toDate32(at) + 31, NULL, toInt32(1 + h % 400), ['visa_exempt', 'eaeu', 'visa'][1 + h % 3], o, p,
               if(startsWith(rule, 'work'), 'e1-' || lower(hex(MD5(toString(h % 20000)))), ''), if(startsWith(rule, 'work'), 'F', ''),
               '', 'kz', [], [], if(v = 1, 'raised', 'exit_seen'), reinterpretAsUUID(sipHash128(n)), at, at + toIntervalDay(31 + v),
               n % 4, n * 2 + v, at + toIntervalDay(31 + v)"""
    yield f"""
        INSERT INTO alerts
        {alert}
        FROM (SELECT *, arrayJoin([1, 2]) AS v,
                     ['overstay_visa_exempt', 'overstay_eaeu', 'overstay_visa', 'work_without_permit', 'work_permit_expired'][1 + h % 5] AS rule,
                     {_array(oblasts)}[post_no] AS o, {_array(posts)}[post_no] AS p
              FROM ({model} FROM (SELECT number * 49 AS number FROM numbers({crossings // 50}))))"""  # noqa: S608
    yield f"""
        INSERT INTO cases
        SELECT reinterpretAsUUID(sipHash128(n, 'case')), v, subject, toDate32(at),
               multiIf(v = 1, 'suspected', v = 2, 'contacted', ['legalised', 'left', 'cleared', 'referred'][1 + h % 4]), v < 3, '', 0, [], [],
               'visa', {_array(oblasts)}[post_no], NULL, at, at + toIntervalDay(v), reinterpretAsUUID(sipHash128(n)), n % 4, n * 3 + v,
               at + toIntervalDay(v)
        FROM (SELECT *, arrayJoin([1, 2, 3]) AS v FROM ({model} FROM (SELECT number * 199 AS number FROM numbers({crossings // 200}))))"""  # noqa: S608
    yield f"""
        INSERT INTO raw_stay_registration (event_id, subject, occurred_at, recorded_at, source, source_seq, kind, oblast, host, arrived_on,
                                           occurred_on, topic, partition, offset, received_at)
        SELECT reinterpretAsUUID(sipHash128(n, 'notice')), subject, at + 60 + h % 400000, at + 60 + h % 400000 + h % 9000, 'register:stays', n,
               'arrival', {_array(oblasts)}[post_no], 'hotel', toDate32(at), toDate32(at), '{TOPIC}', n % {PARTITIONS},
               intDiv({crossings * 5 // 2}, {PARTITIONS}) + intDiv(n, {PARTITIONS}), at + 400000
        FROM ({model} FROM (SELECT number * 7 AS number FROM numbers({crossings // 14}))) WHERE what = 'entry'"""  # noqa: S608
    yield f"""
        INSERT INTO raw_identity_link (event_id, subject, occurred_at, recorded_at, source, source_seq, kind, link_id, other_subject, reason,
                                       occurred_on, topic, partition, offset, received_at)
        SELECT reinterpretAsUUID(sipHash128(number, 'link')), 'p1-' || lower(hex(MD5(toString(number * 1000)))), at, at, 'register:identity',
               number, 'linked', reinterpretAsUUID(sipHash128(number, 'pair')), 'p1-' || lower(hex(MD5(toString(number * 1000 + 1)))),
               'new_document', toDate32(at), '{TOPIC}', number % {PARTITIONS}, intDiv({crossings * 11 // 4}, {PARTITIONS}) + intDiv(number, {PARTITIONS}), at
        FROM (SELECT number, toDateTime64('2022-06-01 00:00:00.000', 3, 'UTC') AS at FROM numbers({people // 1000}))"""  # noqa: S608
    for number in range(PARTITIONS):
        last = crossings * 3 // PARTITIONS
        yield f"""INSERT INTO batches SELECT '{TOPIC}', {number}, 0, {last}, {last}, 0, 1, now64(3), 0, {number}, now64(3)"""


def reached(crossings: int) -> dict[tuple[str, int], int]:
    """Returns the positions below which everything is in the warehouse."""
    return {(TOPIC, number): crossings * 3 // PARTITIONS + 1 for number in range(PARTITIONS)} | {
        ("", 0): crossings // 2000,
        **{("alerts", number): crossings * 3 for number in range(PARTITIONS)},
    }
