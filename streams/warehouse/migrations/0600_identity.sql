-- What states of one person's pseudonyms tell each other, and which pseudonyms are one person (ADR 0130).

CREATE TABLE IF NOT EXISTS raw_shared_facts /*cluster*/
(
    `event_id` UUID COMMENT 'Identity of the fact, a UUID given by the publisher. The same fact sent again carries the same id, so that repeats do no harm.',
    `subject` String COMMENT 'The person the fact is about: a pseudonym p<key version>-<32 hexadecimal digits>, HMAC-SHA-256 under a versioned key. Never a name or a document number. Also the Kafka message key.',
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened: UTC, milliseconds since 1970-01-01. Filled by the source; not more than 24 hours after the message arrives.',
    `recorded_at` DateTime64(3, 'UTC') COMMENT 'When the source wrote it down: UTC, milliseconds since 1970-01-01. Between occurred_at and this lies the lateness of the source.',
    `source` LowCardinality(String) COMMENT 'The publishing system, at most 64 printable characters, e.g. post:KZ-75-A1 or register:permits. Never a person. Filled by the publisher.',
    `source_seq` Int64 COMMENT 'Number of this event at its source, counting from 1 without gaps: a hole shows a lost event. Filled by the publisher.',
    `origin` String COMMENT 'The pseudonym the facts are about: p<key version>-<32 hexadecimal digits>; not the subject, which is the receiver.',
    `whole` Bool COMMENT 'Whether with this message the receiver has all facts of the origin; false: further ones follow, or only what concerns links is told.',
    `facts` String COMMENT 'The facts in the form of a stored dossier (streams/detect/codec.py); the form is only ever appended to.',
    `occurred_on` Date32 COMMENT 'Local calendar day of occurred_at in the zone of the event\'s post or oblast (the country\'s where it names none).',
    `topic` LowCardinality(String) COMMENT 'Topic the record was read from.',
    `partition` Int32 COMMENT 'Partition of the topic.',
    `offset` Int64 COMMENT 'Offset in the partition: with topic and partition the identity of this delivery.',
    `received_at` DateTime64(3, 'UTC') COMMENT 'When the broker received the record (its timestamp): UTC.'
)
ENGINE = /*replicated*/ReplacingMergeTree()
PARTITION BY toYear(occurred_at)
ORDER BY (topic, partition, offset)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'What the state of one pseudonym tells the state of another that may be the same person. Written by workers only, into the log of persons; whoever publishes to Shekara never sends it.';

CREATE OR REPLACE VIEW core_shared_facts /*cluster*/
(
    `event_id` UUID COMMENT 'Identity of the fact, a UUID given by the publisher. The same fact sent again carries the same id, so that repeats do no harm.',
    `subject` String COMMENT 'The person the fact is about: a pseudonym p<key version>-<32 hexadecimal digits>, HMAC-SHA-256 under a versioned key. Never a name or a document number. Also the Kafka message key.',
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened: UTC, milliseconds since 1970-01-01. Filled by the source; not more than 24 hours after the message arrives.',
    `recorded_at` DateTime64(3, 'UTC') COMMENT 'When the source wrote it down: UTC, milliseconds since 1970-01-01. Between occurred_at and this lies the lateness of the source.',
    `source` LowCardinality(String) COMMENT 'The publishing system, at most 64 printable characters, e.g. post:KZ-75-A1 or register:permits. Never a person. Filled by the publisher.',
    `source_seq` Int64 COMMENT 'Number of this event at its source, counting from 1 without gaps: a hole shows a lost event. Filled by the publisher.',
    `origin` String COMMENT 'The pseudonym the facts are about: p<key version>-<32 hexadecimal digits>; not the subject, which is the receiver.',
    `whole` Bool COMMENT 'Whether with this message the receiver has all facts of the origin; false: further ones follow, or only what concerns links is told.',
    `facts` String COMMENT 'The facts in the form of a stored dossier (streams/detect/codec.py); the form is only ever appended to.',
    `occurred_on` Date32 COMMENT 'Local calendar day of occurred_at in the zone of the event\'s post or oblast (the country\'s where it names none).',
    `topic` LowCardinality(String) COMMENT 'Topic the record was read from.',
    `partition` Int32 COMMENT 'Partition of the topic.',
    `offset` Int64 COMMENT 'Offset in the partition: with topic and partition the identity of this delivery.',
    `received_at` DateTime64(3, 'UTC') COMMENT 'When the broker received the record (its timestamp): UTC.'
)
AS SELECT r.`event_id` AS `event_id`, r.`subject` AS `subject`, r.`occurred_at` AS `occurred_at`, r.`recorded_at` AS `recorded_at`, r.`source` AS `source`, r.`source_seq` AS `source_seq`, r.`origin` AS `origin`, r.`whole` AS `whole`, r.`facts` AS `facts`, r.`occurred_on` AS `occurred_on`, r.`topic` AS `topic`, r.`partition` AS `partition`, r.`offset` AS `offset`, r.`received_at` AS `received_at`
FROM
(
    SELECT * FROM raw_shared_facts
    WHERE (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM dead_letters)
    ORDER BY subject, event_id, recorded_at, topic, partition, offset
    LIMIT 1 BY subject, event_id
) AS r
LEFT JOIN core_withdrawals AS w ON w.subject = r.subject AND w.event_id = r.event_id
WHERE w.withdrawn = 0 OR (r.recorded_at, toString(r.event_id)) >= (w.withdrawn_at, toString(w.withdrawn_by))
COMMENT 'Facts that count, each once: What the state of one pseudonym tells the state of another that may be the same person. Written by workers only, into the log of persons; whoever publishes to Shekara never sends it.';

CREATE OR REPLACE VIEW core_same_person /*cluster*/
(
    `subject` String COMMENT 'A pseudonym that a link in force names.',
    `person` String COMMENT 'The pseudonym that answers for all of the person''s: the first in the order of texts. Alerts and cases are under it.'
)
AS
WITH RECURSIVE
    pairs AS
    (
        SELECT argMax(subject, (occurred_at, toString(event_id))) AS one, argMax(other_subject, (occurred_at, toString(event_id))) AS other
        FROM core_identity_link
        GROUP BY link_id
        HAVING argMax(kind, (occurred_at, toString(event_id))) = 'linked'
    ),
    edges AS
    (
        SELECT one, other FROM pairs UNION ALL SELECT other, one FROM pairs UNION ALL SELECT DISTINCT one, one FROM pairs
        UNION ALL SELECT DISTINCT other, other FROM pairs
    ),
    -- Nobody has a chain of more than eight passports between two of them; who has is split here, never in the stream.
    reached AS
    (
        SELECT one AS subject, other AS person, 1 AS steps FROM edges
        UNION ALL
        SELECT r.subject AS subject, e.other AS person, r.steps + 1 AS steps
        FROM reached AS r INNER JOIN edges AS e ON e.one = r.person
        WHERE r.steps < 8 AND e.one != e.other
    )
SELECT subject, min(person) AS person FROM reached GROUP BY subject
COMMENT 'Pseudonyms that are one person by the links in force; who is in no link is not here. Source: docs/rules.md, One person, several pseudonyms.';
