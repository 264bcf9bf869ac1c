-- The ledger without a set of every offset; who is present, and since when an alert was raised, without looking at everybody; a person's
-- crossings in smaller pieces (ADR 0174). The counts are emptied: the next start of the warehouse counts everything once.

TRUNCATE TABLE IF EXISTS counts /*cluster*/;
TRUNCATE TABLE IF EXISTS counts_next /*cluster*/;
TRUNCATE TABLE IF EXISTS counts_people /*cluster*/;
TRUNCATE TABLE IF EXISTS counts_touched /*cluster*/;
TRUNCATE TABLE IF EXISTS counts_same /*cluster*/;
TRUNCATE TABLE IF EXISTS alerts_latest /*cluster*/;
TRUNCATE TABLE IF EXISTS numbers_seen /*cluster*/;

-- Smaller granules: a batch touches a thousand people who stand in a thousand places of each part.
DROP TABLE IF EXISTS crossings_by_person /*cluster*/ SYNC;

CREATE TABLE IF NOT EXISTS crossings_by_person /*cluster*/
(
    `subject` String COMMENT 'The person''s pseudonym.' CODEC(ZSTD(1)),
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened: UTC.' CODEC(ZSTD(1)),
    `event_id` UUID COMMENT 'Identity of the fact.',
    `topic` LowCardinality(String) COMMENT 'Topic the record was read from.' CODEC(ZSTD(1)),
    `partition` Int32 COMMENT 'Partition of the topic.' CODEC(ZSTD(1)),
    `offset` Int64 COMMENT 'Offset in the partition: with topic and partition the identity of this delivery.' CODEC(ZSTD(1)),
    `recorded_at` DateTime64(3, 'UTC') COMMENT 'When the source wrote it down: UTC.' CODEC(ZSTD(1)),
    `occurred_on` Date32 COMMENT 'Local calendar day of occurred_at in the zone of the post or oblast.' CODEC(ZSTD(1)),
    `direction` LowCardinality(String) COMMENT 'entry, exit or refusal; arrival, extension or deregistration where it is a registration of a stay.' CODEC(ZSTD(1)),
    `post` LowCardinality(String) COMMENT 'Border post; empty where it is a registration.' CODEC(ZSTD(1)),
    `oblast` LowCardinality(String) COMMENT 'Oblast the post lay in on that day, or of the registration, ISO 3166-2:KZ; empty if not known.' CODEC(ZSTD(1)),
    `citizenship` LowCardinality(String) COMMENT 'Citizenship of the document shown, ISO 3166-1 alpha-3 or an ICAO 9303 special code; empty where it is a registration.' CODEC(ZSTD(1)),
    `purpose` LowCardinality(String) COMMENT 'Purpose stated at the border; empty where it is a registration.' CODEC(ZSTD(1)),
    `refusal_reason` LowCardinality(String) COMMENT 'Why entry was refused; empty otherwise.' CODEC(ZSTD(1)),
    `source` LowCardinality(String) COMMENT 'The publishing system.' CODEC(ZSTD(1)),
    `recorded_min` Int32 COMMENT 'Minutes from occurred_at to recorded_at, rounded up.' CODEC(ZSTD(1)),
    `received_min` Int32 COMMENT 'Minutes from recorded_at to the arrival at the broker, rounded up.' CODEC(ZSTD(1)),
    `received_on` Date32 COMMENT 'Day of the arrival at the broker: UTC.' CODEC(ZSTD(1))
)
ENGINE = /*replicated*/ReplacingMergeTree()
PRIMARY KEY subject
ORDER BY (subject, event_id, recorded_at, topic, partition, offset)
SETTINGS index_granularity = 256, min_compress_block_size = 8192
COMMENT 'Deliveries of crossings and of registrations of stays in the order of people, so that one person''s history is read without the others: repeats are in it. Ask core_border_crossing.';

ALTER TABLE alerts_latest /*cluster*/
    ADD COLUMN IF NOT EXISTS `first_at` DateTime64(3, 'UTC') COMMENT 'decided_at of the alert\'s first version: UTC.' CODEC(Delta(8), ZSTD(1)) AFTER newest;

CREATE OR REPLACE VIEW mart_ledger /*cluster*/
(
    `topic` LowCardinality(String) COMMENT 'Input topic.',
    `partition` Int32 COMMENT 'Partition.',
    `first_offset` Int64 COMMENT 'First offset the ledger covers.',
    `last_offset` Int64 COMMENT 'Last offset the ledger covers.',
    `produced` Int64 COMMENT 'Records in these offsets: all but transaction marks and compacted ones.',
    `processed` Int64 COMMENT 'Records the agents processed, without those whose row ClickHouse refused.',
    `dead_letters` Int64 COMMENT 'Records in the dead letters: those the agents put there, and those whose row ClickHouse refused.',
    `refused` Int64 COMMENT 'Of the dead letters, those whose row ClickHouse refused (code refused_by_warehouse).',
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
        WHERE NOT endsWith(topic, '.labour-links') -- what one agent writes for another is no input, and is not held here
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
        SELECT p.topic AS topic, p.partition AS partition,
               bitmapCardinality(bitmapSubsetInRange(p.offsets, toUInt64(c.first), toUInt64(c.last + 1))) AS held_sum
        FROM covered AS c INNER JOIN
        (
            SELECT topic, partition, groupBitmapState(toUInt64(offset)) AS offsets FROM core_deliveries GROUP BY topic, partition
        ) AS p ON p.topic = c.topic AND p.partition = c.partition
    ),
    refused_letters AS
    (
        SELECT l.topic AS topic, l.partition AS partition, uniqExact(l.offset) AS refused_sum
        FROM dead_letters AS l INNER JOIN covered AS c ON c.topic = l.topic AND c.partition = l.partition
        WHERE l.code = 'refused_by_warehouse' AND l.offset BETWEEN c.first AND c.last
        GROUP BY topic, partition
    )
SELECT
    c.topic AS topic,
    c.partition AS partition,
    c.first AS first_offset,
    c.last AS last_offset,
    c.produced_sum AS produced,
    c.processed_sum - toInt64(r.refused_sum) AS processed,
    c.dead_sum + toInt64(r.refused_sum) AS dead_letters,
    toInt64(r.refused_sum) AS refused,
    c.holes_sum AS holes,
    c.repeats_sum AS repeats,
    toInt64(h.held_sum) AS held,
    c.produced_sum - toInt64(h.held_sum) AS missing,
    CAST(c.produced_sum = c.processed_sum + c.dead_sum AND c.holes_sum = 0 AND c.repeats_sum = 0, 'Bool') AS balanced
FROM covered AS c
LEFT JOIN held_rows AS h ON h.topic = c.topic AND h.partition = c.partition
LEFT JOIN refused_letters AS r ON r.topic = c.topic AND r.partition = c.partition
COMMENT 'The ledger: for every input partition, produced = processed + dead letters, from the agents'' own records of their batches and the letters about rows ClickHouse refused.';

CREATE OR REPLACE VIEW recomputed_mart_retractions_by_rule /*cluster*/
(
    `rule` LowCardinality(String) COMMENT 'Rule that speaks, see docs/rules.md.',
    `alerts` UInt64 COMMENT 'Alerts.',
    `retracted` UInt64 COMMENT 'Of them retracted now.',
    `ratio` Float64 COMMENT 'retracted / alerts.',
    `median_hours` Nullable(Float64) COMMENT 'Median hours from the first version to the retraction, by the log\'s clock; NULL: none retracted.'
)
AS
SELECT n.rule AS rule, count() AS alerts, countIf(n.state = 'retracted') AS retracted, retracted / alerts AS ratio,
       if(retracted = 0, NULL, quantileExactInclusiveIf(0.5)(dateDiff('second', f.first_at, n.decided_at) / 3600, n.state = 'retracted')) AS median_hours
FROM recomputed_alerts_now AS n INNER JOIN (SELECT alert_id, min(decided_at) AS first_at FROM alerts FINAL GROUP BY alert_id) AS f ON f.alert_id = n.alert_id
GROUP BY rule
COMMENT 'What mart_retractions_by_rule must say, computed from every version: slow. Alerts retracted (it was never so) of all alerts ever raised, by rule, and the time from raising to retracting. Unit: alerts.';

CREATE OR REPLACE VIEW mart_retractions_by_rule /*cluster*/
(
    `rule` LowCardinality(String) COMMENT 'Rule that speaks, see docs/rules.md.',
    `alerts` UInt64 COMMENT 'Alerts.',
    `retracted` UInt64 COMMENT 'Of them retracted now.',
    `ratio` Float64 COMMENT 'retracted / alerts.',
    `median_hours` Nullable(Float64) COMMENT 'Median hours from the first version to the retraction, by the log\'s clock; NULL: none retracted.'
)
AS
SELECT rule, count() AS alerts, countIf(state = 'retracted') AS retracted, retracted / alerts AS ratio,
       if(retracted = 0, NULL, quantileExactInclusiveIf(0.5)(dateDiff('second', first_at, decided_at) / 3600, state = 'retracted')) AS median_hours
FROM alerts_latest FINAL
GROUP BY rule
COMMENT 'Alerts retracted (it was never so) of all alerts ever raised, by rule, and the time from raising to retracting. Unit: alerts.';

CREATE OR REPLACE VIEW recomputed_core_presence_by_standing /*cluster*/
(
    `oblast` LowCardinality(String) COMMENT 'Oblast of the post of entry, ISO 3166-2:KZ; empty if not known.',
    `citizenship` LowCardinality(String) COMMENT 'Citizenship of the document shown at entry.',
    `purpose` LowCardinality(String) COMMENT 'Purpose stated at entry.',
    `lawful` UInt64 COMMENT 'Present by the records, no open overstay alert: persons.',
    `established` UInt64 COMMENT 'Open overstay alert of grade established: persons.',
    `presumed` UInt64 COMMENT 'Open overstay alert of grade presumed: persons.',
    `uncertain` UInt64 COMMENT 'Open overstay alert of grade uncertain: persons.'
)
AS
SELECT oblast, citizenship, purpose, countIf(standing = 'lawful') AS lawful, countIf(standing = 'established') AS established,
       countIf(standing = 'presumed') AS presumed, countIf(standing = 'uncertain') AS uncertain
FROM recomputed_core_presence
GROUP BY oblast, citizenship, purpose
COMMENT 'What core_presence_by_standing must say, computed from every fact: slow. Foreigners whose last crossing is an entry, by how sure their presence is: sums of core_presence.';

-- Most people who are here have no overstay alert, and most alerts are of people who are not here: so all are counted by cell, and only
-- those looked at one by one whose hash is on both sides. A hash that is there by chance is told apart by the join.
CREATE OR REPLACE VIEW core_presence_by_standing /*cluster*/
(
    `oblast` LowCardinality(String) COMMENT 'Oblast of the post of entry, ISO 3166-2:KZ; empty if not known.',
    `citizenship` LowCardinality(String) COMMENT 'Citizenship of the document shown at entry.',
    `purpose` LowCardinality(String) COMMENT 'Purpose stated at entry.',
    `lawful` UInt64 COMMENT 'Present by the records, no open overstay alert: persons.',
    `established` UInt64 COMMENT 'Open overstay alert of grade established: persons.',
    `presumed` UInt64 COMMENT 'Open overstay alert of grade presumed: persons.',
    `uncertain` UInt64 COMMENT 'Open overstay alert of grade uncertain: persons.'
)
AS
SELECT oblast, citizenship, purpose, toUInt64(sum(all) - sum(in_3) - sum(in_2) - sum(in_1)) AS lawful,
       toUInt64(sum(in_3)) AS established, toUInt64(sum(in_2)) AS presumed, toUInt64(sum(in_1)) AS uncertain
FROM
(
    SELECT oblast, citizenship, purpose, sum(c.persons) AS all, 0 AS in_3, 0 AS in_2, 0 AS in_1
    FROM counts AS c WHERE kind = 'present'
    GROUP BY oblast, citizenship, purpose
    UNION ALL
    SELECT s.oblast AS oblast, s.citizenship AS citizenship, s.purpose AS purpose, 0 AS all,
           sumIf(s.n, a.best = 3) AS in_3, sumIf(s.n, a.best = 2) AS in_2, sumIf(s.n, a.best = 1) AS in_1
    FROM (SELECT subject, day, oblast, citizenship, purpose, persons AS n FROM counts WHERE kind = 'present') AS s
    INNER JOIN
    (
        SELECT subject, stay_on, max(multiIf(grade = 'established', 3, grade = 'presumed', 2, 1)) AS best
        FROM core_alerts_of_people
        WHERE startsWith(rule, 'overstay_') AND state IN ('raised', 'amended', 'acknowledged')
          AND cityHash64(subject, stay_on) IN (SELECT cityHash64(subject, day) FROM counts WHERE kind = 'present')
        GROUP BY subject, stay_on
    ) AS a ON a.subject = s.subject AND a.stay_on = s.day
    GROUP BY oblast, citizenship, purpose
)
GROUP BY oblast, citizenship, purpose
HAVING lawful + established + presumed + uncertain > 0
COMMENT 'Foreigners whose last crossing is an entry, by how sure their presence is: sums of core_presence.';

CREATE OR REPLACE VIEW mart_foreigners_present /*cluster*/
(
    `oblast` LowCardinality(String) COMMENT 'ISO 3166-2:KZ; empty if not known.',
    `lawful` UInt64 COMMENT 'Present by the records, no open overstay alert.',
    `established` UInt64 COMMENT 'Open overstay alert of grade established: seen after the last lawful day.',
    `presumed` UInt64 COMMENT 'Open overstay alert of grade presumed: no exit seen, records complete.',
    `uncertain` UInt64 COMMENT 'Open overstay alert of grade uncertain: no exit seen, records incomplete.',
    `low` UInt64 COMMENT 'lawful + established, persons.',
    `middle` UInt64 COMMENT 'low + presumed, persons.',
    `high` UInt64 COMMENT 'middle + uncertain, persons.'
)
AS
SELECT oblast, sum(s.lawful) AS lawful, sum(s.established) AS established, sum(s.presumed) AS presumed, sum(s.uncertain) AS uncertain,
       lawful + established AS low, low + presumed AS middle, middle + uncertain AS high
FROM core_presence_by_standing AS s
GROUP BY oblast
COMMENT 'Foreigners whose last crossing is an entry, by oblast of the post of entry, from the lower bound (lawful, or seen after the last lawful day) to the upper (everybody of whom no exit was seen). Unit: persons.';

CREATE OR REPLACE VIEW mart_foreigners_present_by_purpose /*cluster*/
(
    `purpose` LowCardinality(String) COMMENT 'Purpose stated at the border.',
    `lawful` UInt64 COMMENT 'Present by the records, no open overstay alert.',
    `established` UInt64 COMMENT 'Open overstay alert of grade established: seen after the last lawful day.',
    `presumed` UInt64 COMMENT 'Open overstay alert of grade presumed: no exit seen, records complete.',
    `uncertain` UInt64 COMMENT 'Open overstay alert of grade uncertain: no exit seen, records incomplete.',
    `low` UInt64 COMMENT 'lawful + established, persons.',
    `middle` UInt64 COMMENT 'low + presumed, persons.',
    `high` UInt64 COMMENT 'middle + uncertain, persons.'
)
AS
SELECT purpose, sum(s.lawful) AS lawful, sum(s.established) AS established, sum(s.presumed) AS presumed, sum(s.uncertain) AS uncertain,
       lawful + established AS low, low + presumed AS middle, middle + uncertain AS high
FROM core_presence_by_standing AS s
GROUP BY purpose
COMMENT 'The same stock with its interval, by purpose stated at entry. Unit: persons.';

CREATE OR REPLACE VIEW mart_foreigners_present_by_country /*cluster*/
(
    `citizenship` LowCardinality(String) COMMENT 'Citizenship of the document shown, ISO 3166-1 alpha-3 or an ICAO 9303 special code.',
    `lawful` UInt64 COMMENT 'Present by the records, no open overstay alert.',
    `established` UInt64 COMMENT 'Open overstay alert of grade established: seen after the last lawful day.',
    `presumed` UInt64 COMMENT 'Open overstay alert of grade presumed: no exit seen, records complete.',
    `uncertain` UInt64 COMMENT 'Open overstay alert of grade uncertain: no exit seen, records incomplete.',
    `low` UInt64 COMMENT 'lawful + established, persons.',
    `middle` UInt64 COMMENT 'low + presumed, persons.',
    `high` UInt64 COMMENT 'middle + uncertain, persons.'
)
AS
SELECT citizenship, sum(s.lawful) AS lawful, sum(s.established) AS established, sum(s.presumed) AS presumed, sum(s.uncertain) AS uncertain,
       lawful + established AS low, low + presumed AS middle, middle + uncertain AS high
FROM core_presence_by_standing AS s
GROUP BY citizenship
COMMENT 'The same stock with its interval, by citizenship of the document shown at entry. Unit: persons.';
