-- Counts that are brought up to date instead of computed anew: what the most asked marts read (ADR 0054).
-- They are filled by streams/warehouse/counts.py, person by person, and are exact for every record below their marks.

CREATE TABLE IF NOT EXISTS crossings_by_person /*cluster*/
(
    `subject` String COMMENT 'The person''s pseudonym.',
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened: UTC.' CODEC(DoubleDelta, ZSTD(1)),
    `event_id` UUID COMMENT 'Identity of the fact.',
    `topic` LowCardinality(String) COMMENT 'Topic the record was read from.',
    `partition` Int32 COMMENT 'Partition of the topic.',
    `offset` Int64 COMMENT 'Offset in the partition: with topic and partition the identity of this delivery.',
    `recorded_at` DateTime64(3, 'UTC') COMMENT 'When the source wrote it down: UTC.' CODEC(DoubleDelta, ZSTD(1)),
    `occurred_on` Date32 COMMENT 'Local calendar day of occurred_at in the zone of the post.',
    `direction` LowCardinality(String) COMMENT 'entry, exit or refusal.',
    `post` LowCardinality(String) COMMENT 'Border post.',
    `oblast` LowCardinality(String) COMMENT 'Oblast the post lay in on that day, ISO 3166-2:KZ; empty if the post is not known.',
    `citizenship` LowCardinality(String) COMMENT 'Citizenship of the document shown, ISO 3166-1 alpha-3 or an ICAO 9303 special code.',
    `purpose` LowCardinality(String) COMMENT 'Purpose stated at the border.',
    `refusal_reason` LowCardinality(String) COMMENT 'Why entry was refused; empty otherwise.'
)
ENGINE = /*replicated*/ReplacingMergeTree()
ORDER BY (subject, occurred_at, event_id, topic, partition, offset)
SETTINGS index_granularity = 1024
COMMENT 'Deliveries of crossings in the order of people, so that one person''s history is read without the others: repeats are in it. Ask core_border_crossing.';

CREATE TABLE IF NOT EXISTS counts /*cluster*/
(
    `kind` LowCardinality(String) COMMENT 'What is counted: flow, month, year, refusal, stay, open or present; mark: how far in the log the counts reach (docs/warehouse.md).',
    `day` Date32 COMMENT 'Local day; 1 January of the year where the kind counts years; day of entry of an open stay.',
    `oblast` LowCardinality(String) COMMENT 'Oblast of the post, ISO 3166-2:KZ; empty if not known or not counted by.',
    `post` LowCardinality(String) COMMENT 'Border post; empty where not counted by.',
    `citizenship` LowCardinality(String) COMMENT 'Citizenship of the document shown; empty where not counted by.',
    `direction` LowCardinality(String) COMMENT 'entry, exit or refusal; empty where not counted by.',
    `purpose` LowCardinality(String) COMMENT 'Purpose stated at the border; empty where not counted by.',
    `reason` LowCardinality(String) COMMENT 'Why entry was refused; empty where not counted by.',
    `days` Int32 COMMENT 'Days of presence of an ended stay; of a mark the partition of the topic; else 0.',
    `subject` String COMMENT 'Pseudonym of a foreigner present; of a mark the topic, empty for the dead letters; else empty.',
    `crossings` Int64 COMMENT 'Crossings or stays, or of a mark offsets: the sum over rows counts, single rows may be negative.',
    `persons` Int64 COMMENT 'Different pseudonyms: the sum over rows of one cell counts; do not add over cells.'
)
ENGINE = /*replicated*/SummingMergeTree((crossings, persons))
ORDER BY (kind, day, oblast, post, citizenship, direction, purpose, reason, days, subject)
COMMENT 'Sums the marts read. Every change is one row that is added: marks and counts change together, so a change counts once or not at all.';

CREATE TABLE IF NOT EXISTS counts_next /*cluster*/
(
    `kind` LowCardinality(String) COMMENT 'As in counts.',
    `day` Date32 COMMENT 'As in counts.',
    `oblast` LowCardinality(String) COMMENT 'As in counts.',
    `post` LowCardinality(String) COMMENT 'As in counts.',
    `citizenship` LowCardinality(String) COMMENT 'As in counts.',
    `direction` LowCardinality(String) COMMENT 'As in counts.',
    `purpose` LowCardinality(String) COMMENT 'As in counts.',
    `reason` LowCardinality(String) COMMENT 'As in counts.',
    `days` Int32 COMMENT 'As in counts.',
    `subject` String COMMENT 'As in counts.',
    `crossings` Int64 COMMENT 'As in counts.',
    `persons` Int64 COMMENT 'As in counts.'
)
ENGINE = /*local*/SummingMergeTree((crossings, persons))
ORDER BY (kind, day, oblast, post, citizenship, direction, purpose, reason, days, subject)
COMMENT 'The next change of counts while it is computed; it is attached to counts at once and whole.';

CREATE TABLE IF NOT EXISTS counts_people /*cluster*/
(
    `subject` String COMMENT 'The person''s pseudonym.'
)
ENGINE = /*local*/MergeTree
ORDER BY subject
COMMENT 'People whose counts are being computed anew; empty between two changes.';

CREATE TABLE IF NOT EXISTS counts_facts /*cluster*/
(
    `sign` Int8 COMMENT '1: counts with the records received now; -1: counted so far.',
    `subject` String COMMENT 'The person''s pseudonym.',
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened: UTC.',
    `event_id` UUID COMMENT 'Identity of the fact.',
    `occurred_on` Date32 COMMENT 'Local calendar day.',
    `direction` LowCardinality(String) COMMENT 'entry, exit or refusal.',
    `post` LowCardinality(String) COMMENT 'Border post.',
    `oblast` LowCardinality(String) COMMENT 'Oblast of the post, ISO 3166-2:KZ.',
    `citizenship` LowCardinality(String) COMMENT 'Citizenship of the document shown.',
    `purpose` LowCardinality(String) COMMENT 'Purpose stated at the border.',
    `reason` LowCardinality(String) COMMENT 'Why entry was refused; empty otherwise.',
    `next_direction` LowCardinality(String) COMMENT 'The person''s next entry or exit after this one; empty if there is none.',
    `next_on` Date32 COMMENT 'Local day of that.'
)
ENGINE = /*local*/MergeTree
ORDER BY (subject, sign, occurred_at)
COMMENT 'Crossings that count of the people in counts_people, as they were and as they are; empty between two changes.';
