-- What analysts ask: flat views, exact whatever was delivered twice, late, corrected or retracted, because each is computed from
-- facts by identity and never from running sums.

CREATE OR REPLACE VIEW mart_daily_flows /*cluster*/
(
    `day` Date32 COMMENT 'Local day of the crossing in the zone of the post.',
    `post` LowCardinality(String) COMMENT 'Border post (policy: posts).',
    `oblast` LowCardinality(String) COMMENT 'Oblast the post lay in on that day, ISO 3166-2:KZ; empty if the post is not known.',
    `citizenship` LowCardinality(String) COMMENT 'Citizenship of the document shown, ISO 3166-1 alpha-3 or an ICAO 9303 special code.',
    `direction` LowCardinality(String) COMMENT 'entry, exit or refusal.',
    `crossings` UInt64 COMMENT 'Crossings: one person crossing twice counts twice.',
    `persons` UInt64 COMMENT 'Different pseudonyms among them; do not add over rows.'
)
AS SELECT occurred_on AS day, post, oblast, citizenship, direction, count() AS crossings, uniqExact(subject) AS persons
FROM core_border_crossing
GROUP BY day, post, oblast, citizenship, direction
COMMENT 'Daily flows across the border. Corrected and repeated crossings do not count. Not for publication: cells may be small.';

CREATE OR REPLACE VIEW mart_open_stays /*cluster*/
(
    `oblast` LowCardinality(String) COMMENT 'Oblast of the post of entry, ISO 3166-2:KZ.',
    `post` LowCardinality(String) COMMENT 'Post of entry.',
    `citizenship` LowCardinality(String) COMMENT 'Citizenship of the document shown at entry; KAZ are citizens who came home.',
    `persons` UInt64 COMMENT 'People whose last crossing is an entry. An upper bound: an exit may not have been seen.',
    `oldest_entry_on` Date32 COMMENT 'Local day of the oldest of these entries.',
    `newest_entry_on` Date32 COMMENT 'Local day of the newest of these entries.'
)
AS
WITH last_crossings AS
(
    SELECT subject, argMax((direction, post, oblast, citizenship, occurred_on), (occurred_at, toString(event_id))) AS last
    FROM core_border_crossing
    WHERE direction IN ('entry', 'exit')
    GROUP BY subject
)
SELECT
    tupleElement(last, 3) AS oblast,
    tupleElement(last, 2) AS post,
    tupleElement(last, 4) AS citizenship,
    count() AS persons,
    min(tupleElement(last, 5)) AS oldest_entry_on,
    max(tupleElement(last, 5)) AS newest_entry_on
FROM last_crossings
WHERE tupleElement(last, 1) = 'entry'
GROUP BY oblast, post, citizenship
COMMENT 'Stock of open stays: people who entered and of whom no later exit has been seen. That is not the same as overstayed.';

CREATE OR REPLACE VIEW mart_alerts /*cluster*/
(
    `rule` LowCardinality(String) COMMENT 'Rule that speaks, see docs/rules.md.',
    `family` LowCardinality(String) COMMENT 'breach or protective.',
    `oblast` LowCardinality(String) COMMENT 'Oblast it belongs to, ISO 3166-2:KZ; empty if not known.',
    `state` LowCardinality(String) COMMENT 'State of the latest version. raised, amended and acknowledged are open; resolved: it was so and has ended; retracted: it was never so.',
    `grade` LowCardinality(String) COMMENT 'How well it is known: established, presumed (no exit seen) or uncertain.',
    `alerts` UInt64 COMMENT 'Alerts.',
    `persons` UInt64 COMMENT 'Different pseudonyms among them; do not add over rows.'
)
AS SELECT rule, family, oblast, state, grade, count() AS alerts, uniqExact(subject) AS persons
FROM alerts_now
GROUP BY rule, family, oblast, state, grade
COMMENT 'Alerts by rule, oblast, state and evidence grade, by what holds now.';

CREATE OR REPLACE VIEW mart_unregistered_workers /*cluster*/
(
    `employer` String COMMENT 'Pseudonym of the employer; empty if not known.',
    `oblast` LowCardinality(String) COMMENT 'Oblast of the work, ISO 3166-2:KZ.',
    `sector` LowCardinality(String) COMMENT 'Section letter of the classification of economic activities; empty if not known.',
    `persons` UInt64 COMMENT 'Different people with an open alert: no permit, an expired one, or one for another employer.',
    `without_permit` UInt64 COMMENT 'Of them with no permit at all.',
    `permit_expired` UInt64 COMMENT 'Of them with an expired permit.',
    `other_employer` UInt64 COMMENT 'Of them with a permit that names another employer.',
    `established` UInt64 COMMENT 'Of them with an alert of grade established.',
    `first_on` Date32 COMMENT 'First day of the oldest of these breaches.'
)
AS SELECT
    employer,
    oblast,
    sector,
    uniqExact(subject) AS persons,
    uniqExactIf(subject, rule = 'work_without_permit') AS without_permit,
    uniqExactIf(subject, rule = 'work_permit_expired') AS permit_expired,
    uniqExactIf(subject, rule = 'work_other_employer') AS other_employer,
    uniqExactIf(subject, grade = 'established') AS established,
    min(first_day_on) AS first_on
FROM alerts_now
WHERE rule IN ('work_without_permit', 'work_permit_expired', 'work_other_employer') AND state IN ('raised', 'amended', 'acknowledged')
GROUP BY employer, oblast, sector
COMMENT 'Unregistered workers by employer, oblast and sector: open alerts of the three work rules. One person may work for several employers.';

CREATE OR REPLACE VIEW mart_follow_up /*cluster*/
(
    `oblast` LowCardinality(String) COMMENT 'Oblast of the case, ISO 3166-2:KZ; empty if not known.',
    `position` UInt8 COMMENT 'Order of the stage in the funnel, from 1.',
    `stage` LowCardinality(String) COMMENT 'suspected, contacted, legalised, left, cleared, referred or removed.',
    `cases_now` UInt64 COMMENT 'Cases in this stage now.',
    `cases_ever` UInt64 COMMENT 'Cases that have been in this stage at any time.',
    `open_now` UInt64 COMMENT 'Cases in this stage now on which someone still has to act.',
    `protected_now` UInt64 COMMENT 'Cases in this stage now whose person is protected: removal is blocked.',
    `median_days` Nullable(Float64) COMMENT 'Median days from the opening of a case to its first arrival in this stage; NULL if none arrived.'
)
AS
WITH
    stages AS (SELECT tupleElement(s, 1) AS position, tupleElement(s, 2) AS stage FROM (SELECT arrayJoin([
        (1, 'suspected'), (2, 'contacted'), (3, 'legalised'), (4, 'left'), (5, 'cleared'), (6, 'referred'), (7, 'removed')]) AS s)),
    arrivals AS (SELECT case_id, stage, min(decided_at) AS arrived_at, any(opened_at) AS opened_at FROM cases FINAL GROUP BY case_id, stage),
    ever AS
    (
        SELECT n.oblast AS oblast, a.stage AS stage, count() AS cases_ever,
               quantileExact(0.5)(dateDiff('second', a.opened_at, a.arrived_at) / 86400) AS median_days
        FROM arrivals AS a INNER JOIN cases_now AS n ON n.case_id = a.case_id
        GROUP BY oblast, stage
    ),
    now AS
    (
        SELECT oblast, stage, count() AS cases_now, countIf(open) AS open_now, countIf(protected) AS protected_now
        FROM cases_now GROUP BY oblast, stage
    )
SELECT
    o.oblast AS oblast,
    s.position AS position,
    s.stage AS stage,
    n.cases_now AS cases_now,
    e.cases_ever AS cases_ever,
    n.open_now AS open_now,
    n.protected_now AS protected_now,
    if(e.cases_ever = 0, NULL, e.median_days) AS median_days
FROM (SELECT DISTINCT oblast FROM cases_now) AS o
CROSS JOIN stages AS s
LEFT JOIN now AS n ON n.oblast = o.oblast AND n.stage = s.stage
LEFT JOIN ever AS e ON e.oblast = o.oblast AND e.stage = s.stage
COMMENT 'Follow-up funnel by oblast: every stage has a row, empty ones too. Officers decide; the system only counts.';

CREATE OR REPLACE VIEW core_deliveries /*cluster*/
(
    `topic` LowCardinality(String) COMMENT 'Topic.',
    `partition` Int32 COMMENT 'Partition.',
    `offset` Int64 COMMENT 'Offset.',
    `kept_in` LowCardinality(String) COMMENT 'Where the record is: events (a raw_ table), dead_letters or refused_rows. One may be in two.'
)
AS
SELECT topic, partition, offset, 'events' AS kept_in FROM merge(currentDatabase(), '^raw_')
UNION ALL SELECT topic, partition, offset, 'dead_letters' AS kept_in FROM dead_letters
UNION ALL SELECT topic, partition, offset, 'refused_rows' AS kept_in FROM refused_rows
COMMENT 'Every input record the warehouse holds in some form; deliveries may repeat.';

CREATE OR REPLACE VIEW mart_ledger /*cluster*/
(
    `topic` LowCardinality(String) COMMENT 'Input topic.',
    `partition` Int32 COMMENT 'Partition.',
    `first_offset` Int64 COMMENT 'First offset the ledger covers.',
    `last_offset` Int64 COMMENT 'Last offset the ledger covers.',
    `produced` Int64 COMMENT 'Records in these offsets: all but transaction marks and compacted ones.',
    `processed` Int64 COMMENT 'Records the agents processed.',
    `dead_letters` Int64 COMMENT 'Records the agents put into the dead letters.',
    `holes` Int64 COMMENT 'Offsets between the runs that no run covers: must be 0.',
    `repeats` Int64 COMMENT 'Offsets that more than one run covers: must be 0.',
    `held` Int64 COMMENT 'Of the produced, records the warehouse holds as event, dead letter or refused row.',
    `missing` Int64 COMMENT 'produced - held: what the warehouse has still to receive; 0 when the sink has caught up.',
    `balanced` Bool COMMENT 'produced = processed + dead_letters, without holes or repeats.'
)
AS
WITH
    runs AS
    (
        SELECT topic, partition, first_offset, last_offset, processed, dead_letters, skipped_offsets,
               lagInFrame(last_offset, 1, first_offset - 1) OVER
                   (PARTITION BY topic, partition ORDER BY first_offset, last_offset ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS before
        FROM batches FINAL
    ),
    covered AS
    (
        SELECT topic, partition, min(first_offset) AS first, max(last_offset) AS last,
               sum(last_offset - first_offset + 1 - skipped_offsets) AS produced_sum,
               sum(processed) AS processed_sum, sum(dead_letters) AS dead_sum,
               sum(greatest(first_offset - before - 1, 0)) AS holes_sum, sum(greatest(before + 1 - first_offset, 0)) AS repeats_sum
        FROM runs GROUP BY topic, partition
    ),
    held_rows AS
    (
        SELECT d.topic AS topic, d.partition AS partition, uniqExact(d.offset) AS held_sum
        FROM core_deliveries AS d INNER JOIN covered AS c ON c.topic = d.topic AND c.partition = d.partition
        WHERE d.offset BETWEEN c.first AND c.last
        GROUP BY topic, partition
    )
SELECT
    c.topic AS topic,
    c.partition AS partition,
    c.first AS first_offset,
    c.last AS last_offset,
    c.produced_sum AS produced,
    c.processed_sum AS processed,
    c.dead_sum AS dead_letters,
    c.holes_sum AS holes,
    c.repeats_sum AS repeats,
    toInt64(h.held_sum) AS held,
    c.produced_sum - toInt64(h.held_sum) AS missing,
    CAST(c.produced_sum = c.processed_sum + c.dead_sum AND c.holes_sum = 0 AND c.repeats_sum = 0, 'Bool') AS balanced
FROM covered AS c LEFT JOIN held_rows AS h ON h.topic = c.topic AND h.partition = c.partition
COMMENT 'The ledger: for every input partition, produced = processed + dead letters, from the agents'' own records of their batches.';
