-- Counts of people instead of pseudonyms, notices of arrival, lateness, and a set of numbers (ADR 0137, 0138).
-- The counts are emptied: the next start of the warehouse counts everything from the beginning of what is here.

TRUNCATE TABLE IF EXISTS counts /*cluster*/;
TRUNCATE TABLE IF EXISTS alerts_latest /*cluster*/;
TRUNCATE TABLE IF EXISTS counts_next /*cluster*/;
TRUNCATE TABLE IF EXISTS counts_people /*cluster*/;

-- Another order: what is read of a person comes as it is needed, each fact's first delivery first.
DROP TABLE IF EXISTS crossings_by_person /*cluster*/ SYNC;
DROP TABLE IF EXISTS counts_facts /*cluster*/ SYNC;

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
ORDER BY (subject, event_id, recorded_at, topic, partition, offset)
SETTINGS index_granularity = 1024
COMMENT 'Deliveries of crossings and of registrations of stays in the order of people, so that one person''s history is read without the others: repeats are in it. Ask core_border_crossing.';

CREATE TABLE IF NOT EXISTS counts_facts /*cluster*/
(
    `sign` Int8 COMMENT '1: counts with the records received now; -1: counted so far.',
    `person` String COMMENT 'The pseudonym that answers for the person.',
    `holds` UInt8 COMMENT 'Whether no correction in force withdraws it.',
    `occurred_on` Date32 COMMENT 'Local calendar day.',
    `direction` LowCardinality(String) COMMENT 'entry, exit or refusal; arrival, extension or deregistration where it is a registration of a stay.',
    `post` LowCardinality(String) COMMENT 'Border post.',
    `oblast` LowCardinality(String) COMMENT 'Oblast, ISO 3166-2:KZ.',
    `citizenship` LowCardinality(String) COMMENT 'Citizenship of the document shown.',
    `purpose` LowCardinality(String) COMMENT 'Purpose stated at the border.',
    `reason` LowCardinality(String) COMMENT 'Why entry was refused; empty otherwise.',
    `source` LowCardinality(String) COMMENT 'The publishing system.',
    `recorded_min` Int32 COMMENT 'Minutes from occurred_at to recorded_at, rounded up.',
    `received_min` Int32 COMMENT 'Minutes from recorded_at to the arrival at the broker, rounded up.',
    `next_direction` LowCardinality(String) COMMENT 'The person''s next entry or exit after this one; empty if there is none.',
    `next_on` Date32 COMMENT 'Local day of that.',
    `next_at` DateTime64(3, 'UTC') COMMENT 'Instant of that: UTC.',
    `follows` LowCardinality(String) COMMENT 'What comes next of entries, notices of arrival and extensions; empty if nothing does.',
    `follows_at` DateTime64(3, 'UTC') COMMENT 'Instant of that: UTC.'
)
ENGINE = /*local*/MergeTree
ORDER BY tuple()
COMMENT 'Facts of the people in counts_people, as they were and as they are; empty between two changes.';

ALTER TABLE counts /*cluster*/
    ADD COLUMN IF NOT EXISTS `source` LowCardinality(String) COMMENT 'Publishing system; empty where not counted by.' AFTER subject,
    ADD COLUMN IF NOT EXISTS `person` String COMMENT 'Of kind same: the pseudonym that answers for the person''s; else empty.' AFTER source,
    MODIFY ORDER BY (kind, day, oblast, post, citizenship, direction, purpose, reason, days, subject, source, person);

ALTER TABLE counts /*cluster*/
    COMMENT COLUMN IF EXISTS `kind` 'What is counted: flow, month, year, refusal, stay, open, present, noticed (stays with a notice of arrival), recorded or received (minutes late); same: who answers for whom; mark: how far in the log the counts reach (docs/warehouse.md).',
    COMMENT COLUMN IF EXISTS `days` 'Days of presence of an ended stay; minutes late; of a mark the partition of the topic; else 0.',
    COMMENT COLUMN IF EXISTS `subject` 'Pseudonym that answers for a foreigner present; of same the linked pseudonym; of a mark the topic, empty for the dead letters; else empty.',
    COMMENT COLUMN IF EXISTS `persons` 'Different people (linked pseudonyms are one): the sum over rows of one cell counts; do not add over cells.';

ALTER TABLE counts_next /*cluster*/
    ADD COLUMN IF NOT EXISTS `source` LowCardinality(String) COMMENT 'As in counts.' AFTER subject,
    ADD COLUMN IF NOT EXISTS `person` String COMMENT 'As in counts.' AFTER source,
    MODIFY ORDER BY (kind, day, oblast, post, citizenship, direction, purpose, reason, days, subject, source, person);

ALTER TABLE counts_people /*cluster*/
    ADD COLUMN IF NOT EXISTS `before` String COMMENT 'Who answered for it when it was counted last: itself, or the first of the person''s pseudonyms.',
    ADD COLUMN IF NOT EXISTS `after` String COMMENT 'Who answers for it now.',
    MODIFY COMMENT 'Pseudonyms whose counts are being computed anew, and of whose person; empty between two changes.';

CREATE TABLE IF NOT EXISTS counts_touched /*cluster*/
(
    `subject` String COMMENT 'A pseudonym with new records.'
)
ENGINE = /*local*/MergeTree
ORDER BY subject
COMMENT 'Whom a new stretch of the log touches; empty between two changes.';

CREATE TABLE IF NOT EXISTS counts_same /*cluster*/
(
    `side` Int8 COMMENT '-1: as it was when counted last; 1: as it is.',
    `subject` String COMMENT 'A pseudonym that a link names.',
    `person` String COMMENT 'Who answers for it.'
)
ENGINE = /*local*/MergeTree
ORDER BY (side, subject)
COMMENT 'Which pseudonyms are one person, before and after; empty between two changes.';

CREATE TABLE IF NOT EXISTS numbers_seen /*cluster*/
(
    `source` LowCardinality(String) COMMENT 'Publishing system.',
    `block` UInt64 COMMENT 'source_seq / 1048576, rounded down.',
    `numbers` AggregateFunction(groupBitmap, UInt64) COMMENT 'Set of the numbers that came; 0: an event without one. Ask mart_completeness_by_publisher.'
)
ENGINE = /*replicated*/AggregatingMergeTree()
ORDER BY (source, block)
COMMENT 'Which numbers of each publisher came, as sets: one that is put in again changes nothing (ADR 0138).';
