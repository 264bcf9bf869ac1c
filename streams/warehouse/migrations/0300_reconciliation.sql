-- What posts say they have sent, what sources are told, and both held against what is here: docs/events.md, "Does it add up".

CREATE TABLE IF NOT EXISTS raw_count_statement /*cluster*/
(
    `event_id` UUID COMMENT 'Identity of the fact, a UUID given by the publisher. The same fact sent again carries the same id, so that repeats do no harm.',
    `subject` String COMMENT 'The border post\'s code (policy: posts.yaml). Also the Kafka message key.',
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened: UTC, milliseconds since 1970-01-01. Filled by the source; not more than 24 hours after the message arrives.',
    `recorded_at` DateTime64(3, 'UTC') COMMENT 'When the source wrote it down: UTC, milliseconds since 1970-01-01. Between occurred_at and this lies the lateness of the source.',
    `source` LowCardinality(String) COMMENT 'The publishing system, at most 64 printable characters, e.g. post:KZ-75-A1 or register:permits. Never a person. Filled by the publisher.',
    `source_seq` Int64 COMMENT 'Number of this event at its source, counting from 1 without gaps: a hole shows a lost event. Filled by the publisher.',
    `day_on` Date32 COMMENT 'The post\'s local day: days since 1970-01-01.',
    `first_seq` Int64 COMMENT 'First source_seq given since the statement before; 0 when there were none.',
    `last_seq` Int64 COMMENT 'Last source_seq given; 0 when there were none.',
    `events` Int64 COMMENT 'Events numbered from first_seq to last_seq, of every type.',
    `crossings` Int64 COMMENT 'Border crossings among them.',
    `digest` String COMMENT '32 bytes: the exclusive or over these events of SHA-256(event_id, source_seq as 8 bytes, most significant first).',
    `kid` Nullable(String) COMMENT 'Name of the key that signed (register of sources); null: unsigned.',
    `signature` Nullable(String) COMMENT 'Ed25519 signature, 64 bytes (docs/events.md); null: unsigned.',
    `occurred_on` Date32 COMMENT 'Local calendar day of occurred_at in the zone of the event\'s post or oblast (the country\'s where it names none).',
    `oblast` LowCardinality(String) COMMENT 'Oblast the post lay in on occurred_on, ISO 3166-2:KZ, from the policy\'s posts; empty if the post is not known.',
    `topic` LowCardinality(String) COMMENT 'Topic the record was read from.',
    `partition` Int32 COMMENT 'Partition of the topic.',
    `offset` Int64 COMMENT 'Offset in the partition: with topic and partition the identity of this delivery.',
    `received_at` DateTime64(3, 'UTC') COMMENT 'When the broker received the record (its timestamp): UTC.'
)
ENGINE = /*replicated*/ReplacingMergeTree()
PARTITION BY toYear(occurred_at)
ORDER BY (topic, partition, offset)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'What a border post says it has numbered and sent on one day. Published by the post once a day; the log is reconciled against it.';

CREATE TABLE IF NOT EXISTS feedback /*cluster*/
(
    `source` LowCardinality(String) COMMENT 'The publishing system the message came from. Also the Kafka message key.',
    `state` LowCardinality(String) COMMENT 'refused; replayed: published again as it was; mended: published again with fields put right.',
    `code` LowCardinality(String) COMMENT 'Machine-readable reason (docs/events.md lists them).',
    `field` String COMMENT 'The field at fault if the reason names one; empty otherwise.',
    `event_type` LowCardinality(String) COMMENT 'The event type if it could be told; empty otherwise.',
    `event_id` Nullable(UUID) COMMENT 'The event\'s id, a UUID; null: it could not be read.',
    `source_seq` Int64 COMMENT 'Its number at the source; 0: it could not be read.',
    `topic` LowCardinality(String) COMMENT 'Full name of the topic the message lies in.',
    `partition` Int32 COMMENT 'Partition it lies in.',
    `offset` Int64 COMMENT 'Its offset there.',
    `arrived_at` DateTime64(3, 'UTC') COMMENT 'When it arrived there, by the broker\'s clock: UTC, milliseconds since 1970-01-01.',
    `log_partition` Int32 COMMENT 'Partition of the output topic this version stands in.',
    `log_offset` Int64 COMMENT 'Offset of this version in the output topic.',
    `received_at` DateTime64(3, 'UTC') COMMENT 'When the broker received this version (its timestamp): UTC.'
)
ENGINE = /*replicated*/ReplacingMergeTree(log_offset)
ORDER BY (topic, partition, offset, state)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'What a source is told of a message of its that was refused, or of what became of it since. Nothing of its content.';

ALTER TABLE dead_letters /*cluster*/ ADD COLUMN IF NOT EXISTS `signature` Nullable(String) COMMENT 'The batch signature it came with (header shekara-signature), as it came; null: it had none.' AFTER source;

CREATE OR REPLACE VIEW core_count_statement /*cluster*/
(
    `event_id` UUID COMMENT 'Identity of the fact, a UUID given by the publisher. The same fact sent again carries the same id, so that repeats do no harm.',
    `subject` String COMMENT 'The border post\'s code (policy: posts.yaml). Also the Kafka message key.',
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened: UTC, milliseconds since 1970-01-01. Filled by the source; not more than 24 hours after the message arrives.',
    `recorded_at` DateTime64(3, 'UTC') COMMENT 'When the source wrote it down: UTC, milliseconds since 1970-01-01. Between occurred_at and this lies the lateness of the source.',
    `source` LowCardinality(String) COMMENT 'The publishing system, at most 64 printable characters, e.g. post:KZ-75-A1 or register:permits. Never a person. Filled by the publisher.',
    `source_seq` Int64 COMMENT 'Number of this event at its source, counting from 1 without gaps: a hole shows a lost event. Filled by the publisher.',
    `day_on` Date32 COMMENT 'The post\'s local day: days since 1970-01-01.',
    `first_seq` Int64 COMMENT 'First source_seq given since the statement before; 0 when there were none.',
    `last_seq` Int64 COMMENT 'Last source_seq given; 0 when there were none.',
    `events` Int64 COMMENT 'Events numbered from first_seq to last_seq, of every type.',
    `crossings` Int64 COMMENT 'Border crossings among them.',
    `digest` String COMMENT '32 bytes: the exclusive or over these events of SHA-256(event_id, source_seq as 8 bytes, most significant first).',
    `kid` Nullable(String) COMMENT 'Name of the key that signed (register of sources); null: unsigned.',
    `signature` Nullable(String) COMMENT 'Ed25519 signature, 64 bytes (docs/events.md); null: unsigned.',
    `occurred_on` Date32 COMMENT 'Local calendar day of occurred_at in the zone of the event\'s post or oblast (the country\'s where it names none).',
    `oblast` LowCardinality(String) COMMENT 'Oblast the post lay in on occurred_on, ISO 3166-2:KZ, from the policy\'s posts; empty if the post is not known.',
    `topic` LowCardinality(String) COMMENT 'Topic the record was read from.',
    `partition` Int32 COMMENT 'Partition of the topic.',
    `offset` Int64 COMMENT 'Offset in the partition: with topic and partition the identity of this delivery.',
    `received_at` DateTime64(3, 'UTC') COMMENT 'When the broker received the record (its timestamp): UTC.'
)
AS SELECT r.`event_id` AS `event_id`, r.`subject` AS `subject`, r.`occurred_at` AS `occurred_at`, r.`recorded_at` AS `recorded_at`, r.`source` AS `source`, r.`source_seq` AS `source_seq`, r.`day_on` AS `day_on`, r.`first_seq` AS `first_seq`, r.`last_seq` AS `last_seq`, r.`events` AS `events`, r.`crossings` AS `crossings`, r.`digest` AS `digest`, r.`kid` AS `kid`, r.`signature` AS `signature`, r.`occurred_on` AS `occurred_on`, r.`oblast` AS `oblast`, r.`topic` AS `topic`, r.`partition` AS `partition`, r.`offset` AS `offset`, r.`received_at` AS `received_at`
FROM
(
    SELECT * FROM raw_count_statement
    WHERE (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM dead_letters)
    ORDER BY subject, event_id, recorded_at, topic, partition, offset
    LIMIT 1 BY subject, event_id
) AS r
COMMENT 'Facts that count, each once: What a border post says it has numbered and sent on one day. Published by the post once a day; the log is reconciled against it.';

CREATE OR REPLACE VIEW mart_sequence_gaps /*cluster*/
(
    `source` LowCardinality(String) COMMENT 'Publishing system.',
    `first_missing` Int64 COMMENT 'First number of the hole.',
    `last_missing` Int64 COMMENT 'Last number of the hole.',
    `missing` Int64 COMMENT 'Numbers in the hole.',
    `noticed_at` DateTime64(3, 'UTC') COMMENT 'When the event behind the hole arrived: UTC.'
)
AS
SELECT source, before + 1 AS first_missing, seq - 1 AS last_missing, seq - before - 1 AS missing, arrived_at AS noticed_at
FROM
(
    SELECT source, seq, arrived_at,
           lagInFrame(seq, 1, toInt64(0)) OVER (PARTITION BY source ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS before
    FROM (SELECT source, source_seq AS seq, min(received_at) AS arrived_at FROM merge(currentDatabase(), '^raw_') WHERE source_seq > 0 GROUP BY source, seq)
)
WHERE missing > 0
COMMENT 'Holes in the numbers of each publisher: events that were numbered there and never came here. Unit: numbers.';

CREATE OR REPLACE VIEW mart_repeats_by_publisher /*cluster*/
(
    `source` LowCardinality(String) COMMENT 'Publishing system.',
    `messages` UInt64 COMMENT 'Messages that could be read.',
    `events` UInt64 COMMENT 'Different events among them.',
    `repeats` UInt64 COMMENT 'messages - events.',
    `shared_numbers` UInt64 COMMENT 'Numbers that stand for more than one event: a fault of the publisher.'
)
AS
SELECT source, sum(messages_of) AS messages, sum(events_of) AS events, messages - events AS repeats, countIf(events_of > 1) AS shared_numbers
FROM
(
    SELECT source, source_seq, uniqExact(topic, partition, offset) AS messages_of, uniqExact(event_id) AS events_of
    FROM merge(currentDatabase(), '^raw_')
    GROUP BY source, source_seq
)
GROUP BY source
COMMENT 'Messages that say again what was said before, by publisher. Unit: messages.';

CREATE OR REPLACE VIEW mart_reconciliation /*cluster*/
(
    `source` LowCardinality(String) COMMENT 'Publishing system.',
    `post` String COMMENT 'Border post.',
    `day_on` Date32 COMMENT 'The post\'s local day.',
    `first_seq` Int64 COMMENT 'First number the statement covers.',
    `last_seq` Int64 COMMENT 'Last number it covers.',
    `said_events` Int64 COMMENT 'Events the post says it numbered.',
    `held_events` Int64 COMMENT 'Different numbers of that range that are here.',
    `refused_events` Int64 COMMENT 'Of them dead letters.',
    `said_crossings` Int64 COMMENT 'Crossings the post says it numbered.',
    `held_crossings` Int64 COMMENT 'Crossings of that range that are here.',
    `missing` Int64 COMMENT 'said_events - held_events.',
    `signed` Bool COMMENT 'Whether the statement has a signature (shekara reconcile checks it).'
)
AS
WITH held AS
(
    SELECT source, source_seq, max(_table = 'raw_border_crossing') AS crossing,
           min((topic, partition, offset) IN (SELECT topic, partition, offset FROM dead_letters)) AS refused
    FROM merge(currentDatabase(), '^raw_')
    GROUP BY source, source_seq
)
SELECT s.source AS source, s.subject AS post, s.day_on AS day_on, any(s.first_seq) AS first_seq, any(s.last_seq) AS last_seq,
       any(s.events) AS said_events, countIf(h.source_seq BETWEEN s.first_seq AND s.last_seq AND h.source_seq > 0)::Int64 AS held_events,
       sumIf(h.refused, h.source_seq BETWEEN s.first_seq AND s.last_seq)::Int64 AS refused_events,
       any(s.crossings) AS said_crossings, sumIf(h.crossing, h.source_seq BETWEEN s.first_seq AND s.last_seq)::Int64 AS held_crossings,
       said_events - held_events AS missing, CAST(any(s.signature) IS NOT NULL, 'Bool') AS signed
FROM core_count_statement AS s LEFT JOIN held AS h ON h.source = s.source
GROUP BY s.source, s.subject, s.day_on, s.event_id
COMMENT 'What each post says it sent on a day, and what is here of it. Unit: events.';
