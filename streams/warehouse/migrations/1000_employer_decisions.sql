-- How officers' work on alerts about employers ended: the event, the facts that count, and what they say about the rules.

CREATE TABLE IF NOT EXISTS raw_employer_decision /*cluster*/
(
    `event_id` UUID COMMENT 'Identity of the fact, a UUID given by the publisher. The same fact sent again carries the same id, so that repeats do no harm.',
    `subject` String COMMENT 'The employer\'s pseudonym, e<key version>-<32 hexadecimal digits>. Also the Kafka message key.',
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened: UTC, milliseconds since 1970-01-01. Filled by the source; not more than 24 hours after the message arrives.',
    `recorded_at` DateTime64(3, 'UTC') COMMENT 'When the source wrote it down: UTC, milliseconds since 1970-01-01. Between occurred_at and this lies the lateness of the source.',
    `source` LowCardinality(String) COMMENT 'The publishing system, at most 64 printable characters, e.g. post:KZ-75-A1 or register:permits. Never a person. Filled by the publisher.',
    `source_seq` Int64 COMMENT 'Number of this event at its source, counting from 1 without gaps: a hole shows a lost event. Filled by the publisher.',
    `alert_id` UUID COMMENT 'The alert it is about.',
    `alert_version` Int32 COMMENT 'The version of the alert the officer had seen: a later one is not decided by it.',
    `decision` LowCardinality(String) COMMENT 'in_order, cleared: nothing unlawful was found; put_in_order: it was, and is no more; passed_on: another body decides; protected: people there were given protection. The latest about an alert holds.',
    `officer` String COMMENT 'The officer\'s pseudonym; not empty.',
    `reason` String COMMENT 'The reason in the officer\'s words: required, at most 2000 characters, no personal data.',
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
COMMENT 'How officers\' work on one alert about an employer ended. The stream only carries it; no machine decides.';

CREATE OR REPLACE VIEW core_employer_decision /*cluster*/
(
    `event_id` UUID COMMENT 'Identity of the fact, a UUID given by the publisher. The same fact sent again carries the same id, so that repeats do no harm.',
    `subject` String COMMENT 'The employer\'s pseudonym, e<key version>-<32 hexadecimal digits>. Also the Kafka message key.',
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened: UTC, milliseconds since 1970-01-01. Filled by the source; not more than 24 hours after the message arrives.',
    `recorded_at` DateTime64(3, 'UTC') COMMENT 'When the source wrote it down: UTC, milliseconds since 1970-01-01. Between occurred_at and this lies the lateness of the source.',
    `source` LowCardinality(String) COMMENT 'The publishing system, at most 64 printable characters, e.g. post:KZ-75-A1 or register:permits. Never a person. Filled by the publisher.',
    `source_seq` Int64 COMMENT 'Number of this event at its source, counting from 1 without gaps: a hole shows a lost event. Filled by the publisher.',
    `alert_id` UUID COMMENT 'The alert it is about.',
    `alert_version` Int32 COMMENT 'The version of the alert the officer had seen: a later one is not decided by it.',
    `decision` LowCardinality(String) COMMENT 'in_order, cleared: nothing unlawful was found; put_in_order: it was, and is no more; passed_on: another body decides; protected: people there were given protection. The latest about an alert holds.',
    `officer` String COMMENT 'The officer\'s pseudonym; not empty.',
    `reason` String COMMENT 'The reason in the officer\'s words: required, at most 2000 characters, no personal data.',
    `occurred_on` Date32 COMMENT 'Local calendar day of occurred_at in the zone of the event\'s post or oblast (the country\'s where it names none).',
    `topic` LowCardinality(String) COMMENT 'Topic the record was read from.',
    `partition` Int32 COMMENT 'Partition of the topic.',
    `offset` Int64 COMMENT 'Offset in the partition: with topic and partition the identity of this delivery.',
    `received_at` DateTime64(3, 'UTC') COMMENT 'When the broker received the record (its timestamp): UTC.'
)
AS SELECT r.`event_id` AS `event_id`, r.`subject` AS `subject`, r.`occurred_at` AS `occurred_at`, r.`recorded_at` AS `recorded_at`, r.`source` AS `source`, r.`source_seq` AS `source_seq`, r.`alert_id` AS `alert_id`, r.`alert_version` AS `alert_version`, r.`decision` AS `decision`, r.`officer` AS `officer`, r.`reason` AS `reason`, r.`occurred_on` AS `occurred_on`, r.`topic` AS `topic`, r.`partition` AS `partition`, r.`offset` AS `offset`, r.`received_at` AS `received_at`
FROM
(
    SELECT * FROM raw_employer_decision
    WHERE (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM dead_letters)
    ORDER BY subject, event_id, recorded_at, topic, partition, offset
    LIMIT 1 BY subject, event_id
) AS r
COMMENT 'Facts that count, each once: How officers\' work on one alert about an employer ended. The stream only carries it; no machine decides.';

CREATE OR REPLACE VIEW mart_rule_precision /*cluster*/
(
    `rule` LowCardinality(String) COMMENT 'Rule that speaks, see docs/rules.md.',
    `alerts` UInt64 COMMENT 'Alerts ever raised.',
    `confirmed` UInt64 COMMENT 'Of them confirmed: the case was legalised, left, referred or removed, an employer put things in order, or the breach was and has ended.',
    `unfounded` UInt64 COMMENT 'Of them unfounded: retracted, the case was cleared, or an employer was found in order. A change of policy proves no alert wrong.',
    `undecided` UInt64 COMMENT 'Of them not decided: not yet, disputed, or expired before anybody could check.',
    `by_officers` UInt64 COMMENT 'Of confirmed and unfounded: those on which, or on whose case, an officer decided an outcome.',
    `precision` Nullable(Float64) COMMENT 'confirmed / (confirmed + unfounded); NULL: nothing decided.'
)
AS
WITH
    disputed AS
    (
        SELECT subject FROM (SELECT subject, dispute_id, argMax(kind, (occurred_at, toString(event_id))) AS kind FROM core_dispute GROUP BY subject, dispute_id)
        WHERE kind = 'opened'
    ),
    outcomes AS
    (
        SELECT case_id FROM core_case_decision WHERE decision IN ('legalised', 'left_voluntarily', 'cleared', 'referral_confirmed', 'removed')
    ),
    employers AS
    (
        SELECT alert_id, argMax(alert_version, (occurred_at, toString(event_id))) AS seen, argMax(decision, (occurred_at, toString(event_id))) AS outcome
        FROM core_employer_decision GROUP BY alert_id
    )
SELECT
    rule,
    count() AS alerts,
    countIf(verdict = 'confirmed') AS confirmed,
    countIf(verdict = 'unfounded') AS unfounded,
    countIf(verdict = 'undecided') AS undecided,
    countIf(verdict <> 'undecided' AND decided) AS by_officers,
    if(confirmed + unfounded = 0, NULL, confirmed / (confirmed + unfounded)) AS precision
FROM
(
    SELECT
        n.rule AS rule,
        -- What an officer decided of an earlier version decides a later one only if that says that it is over.
        if(e.seen = n.version OR n.state = 'resolved', e.outcome, '') AS at_employer,
        c.case_id IN (SELECT case_id FROM outcomes) OR at_employer IN ('in_order', 'put_in_order', 'protected', 'cleared') AS decided,
        multiIf(
            n.state = 'retracted' AND (n.reason = 'policy' OR (n.reason = 'dispute' AND n.subject IN (SELECT subject FROM disputed))), 'undecided',
            n.state = 'expired' AND c.case_id NOT IN (SELECT case_id FROM outcomes), 'undecided',
            n.state = 'retracted' OR c.stage = 'cleared' OR at_employer IN ('in_order', 'cleared'), 'unfounded',
            n.state = 'resolved' OR c.stage IN ('legalised', 'left', 'referred', 'removed') OR at_employer IN ('put_in_order', 'protected'), 'confirmed',
            'undecided') AS verdict
    FROM alerts_now AS n LEFT JOIN cases_now AS c ON c.subject = n.subject AND c.stay_on = n.stay_on
    LEFT JOIN employers AS e ON e.alert_id = n.alert_id
)
GROUP BY rule
COMMENT 'How often a rule was right: alerts confirmed and unfounded by outcomes of cases and by later facts, by rule. Unit: alerts.';
