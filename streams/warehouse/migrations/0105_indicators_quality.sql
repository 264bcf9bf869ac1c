-- Indicators: data quality. Each is described in docs/indicators.

CREATE OR REPLACE VIEW core_events /*cluster*/
(
    `event_type` LowCardinality(String) COMMENT 'Event type.',
    `event_id` UUID COMMENT 'Its id.',
    `subject` String COMMENT 'Whom or what it is about.',
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened: UTC.',
    `recorded_at` DateTime64(3, 'UTC') COMMENT 'When the source wrote it down: UTC.',
    `source` LowCardinality(String) COMMENT 'Publishing system.',
    `source_seq` Int64 COMMENT 'Its number at the source.',
    `received_at` DateTime64(3, 'UTC') COMMENT 'When the broker received it: UTC.'
)
AS
SELECT substring(_table, 5) AS event_type, event_id, subject, occurred_at, recorded_at, source, source_seq, received_at
FROM merge(currentDatabase(), '^raw_')
WHERE (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM dead_letters)
ORDER BY subject, event_id, recorded_at, topic, partition, offset
LIMIT 1 BY subject, event_id
COMMENT 'Every input event that is not a dead letter, once, corrected or not: what publishers are measured by.';

CREATE OR REPLACE VIEW mart_retractions_by_rule /*cluster*/
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
FROM alerts_now AS n INNER JOIN (SELECT alert_id, min(decided_at) AS first_at FROM alerts FINAL GROUP BY alert_id) AS f ON f.alert_id = n.alert_id
GROUP BY rule
COMMENT 'Alerts retracted (it was never so) of all alerts ever raised, by rule, and the time from raising to retracting. Unit: alerts.';

CREATE OR REPLACE VIEW mart_retractions_by_reason /*cluster*/
(
    `rule` LowCardinality(String) COMMENT 'Rule that speaks, see docs/rules.md.',
    `reason` LowCardinality(String) COMMENT 'Reason of the retraction.',
    `alerts` UInt64 COMMENT 'Alerts.',
    `persons` UInt64 COMMENT 'Different pseudonyms; do not add over rows.'
)
AS
SELECT rule, reason, count() AS alerts, uniqExact(subject) AS persons
FROM alerts_now WHERE state = 'retracted'
GROUP BY rule, reason
COMMENT 'Alerts retracted, by rule and what showed it: a late exit, an extension, a correction, a dispute, coverage. Unit: alerts.';

CREATE OR REPLACE VIEW mart_retractions_by_source /*cluster*/
(
    `source` LowCardinality(String) COMMENT 'Publisher of the event that retracted.',
    `alerts` UInt64 COMMENT 'Alerts.',
    `median_late_hours` Float64 COMMENT 'Median hours from when that event happened to its being written down.'
)
AS
SELECT e.source AS source, count() AS alerts, quantileExactInclusive(0.5)(dateDiff('second', e.occurred_at, e.recorded_at) / 3600) AS median_late_hours
FROM (SELECT alert_id, caused_by FROM alerts_now WHERE state = 'retracted') AS a
INNER JOIN (SELECT event_id, min(source) AS source, min(occurred_at) AS occurred_at, min(recorded_at) AS recorded_at FROM core_events GROUP BY event_id) AS e ON e.event_id = a.caused_by
GROUP BY source
COMMENT 'Alerts retracted by the publisher whose event retracted them: whose late or corrected records had raised wrong alerts, and how late they were. Unit: alerts.';

CREATE OR REPLACE VIEW mart_lateness_by_publisher /*cluster*/
(
    `source` LowCardinality(String) COMMENT 'Publishing system.',
    `events` UInt64 COMMENT 'Events.',
    `median_recorded_hours` Float64 COMMENT 'Median hours from happening to recording.',
    `p99_recorded_hours` Float64 COMMENT '99th percentile of hours from happening to recording.',
    `median_received_hours` Float64 COMMENT 'Median hours from recording to arrival.',
    `over_a_day` UInt64 COMMENT 'Events recorded more than 24 hours after they happened.',
    `over_a_day_ratio` Float64 COMMENT 'over_a_day / events.'
)
AS
SELECT source, count() AS events, quantileExactInclusive(0.5)(dateDiff('second', occurred_at, recorded_at) / 3600) AS median_recorded_hours,
       quantileExactInclusive(0.99)(dateDiff('second', occurred_at, recorded_at) / 3600) AS p99_recorded_hours,
       quantileExactInclusive(0.5)(dateDiff('second', recorded_at, received_at) / 3600) AS median_received_hours,
       countIf(dateDiff('second', occurred_at, recorded_at) > 86400) AS over_a_day, over_a_day / events AS over_a_day_ratio
FROM core_events
GROUP BY source
COMMENT 'Hours from when something happened to its being written down, and from then to its arrival, by publisher. Unit: hours; ratio.';

CREATE OR REPLACE VIEW mart_completeness_by_publisher /*cluster*/
(
    `source` LowCardinality(String) COMMENT 'Publishing system.',
    `last_seq` Int64 COMMENT 'Largest number received.',
    `received` UInt64 COMMENT 'Different numbers received.',
    `missing` Int64 COMMENT 'last_seq - received.',
    `ratio` Nullable(Float64) COMMENT 'received / last_seq; NULL: nothing numbered.'
)
AS
SELECT source, max(source_seq) AS last_seq, uniqExactIf(source_seq, source_seq > 0) AS received, last_seq - toInt64(received) AS missing,
       if(last_seq <= 0, NULL, received / last_seq) AS ratio
FROM core_events
GROUP BY source
COMMENT 'Events that came, of the numbers the publisher has given: a hole in source_seq is a lost event. Unit: ratio.';

CREATE OR REPLACE VIEW mart_post_coverage /*cluster*/
(
    `post` LowCardinality(String) COMMENT 'Border post.',
    `oblast` LowCardinality(String) COMMENT 'ISO 3166-2:KZ; empty if not known.',
    `complete_through_at` DateTime64(3, 'UTC') COMMENT 'Its crossings before this instant have been sent: UTC.',
    `silent_hours` Float64 COMMENT 'Hours from then to the log\'s clock.',
    `sent` UInt64 COMMENT 'Crossings the heartbeats say were sent.',
    `outages` UInt64 COMMENT 'Outages.',
    `open_outages` UInt64 COMMENT 'Outages not ended.',
    `uncovered_hours` Float64 COMMENT 'Hours of outages that were not backfilled.'
)
AS
WITH
    assumeNotNull((SELECT now_at FROM core_clock)) AS now_at,
    outages_of AS
    (
        SELECT subject, count() AS outages, countIf(NOT ended) AS open_outages, sumIf(dateDiff('second', from_at, if(ended, until_at, greatest(from_at, now_at))) / 3600, NOT backfilled) AS uncovered_hours
        FROM
        (
            SELECT subject, outage_id, min(o.from_at) AS from_at, countIf(kind IN ('ended', 'backfilled')) > 0 AS ended, countIf(kind = 'backfilled') > 0 AS backfilled, ifNull(max(o.until_at), from_at) AS until_at
            FROM core_post_outage AS o
            GROUP BY subject, outage_id
        )
        GROUP BY subject
    )
SELECT h.subject AS post, argMax(h.oblast, h.complete_through_at) AS oblast, max(h.complete_through_at) AS complete_through_at, greatest(dateDiff('second', complete_through_at, now_at), 0) / 3600 AS silent_hours,
       sum(h.sent_count) AS sent, max(o.outages) AS outages, max(o.open_outages) AS open_outages, ifNull(max(o.uncovered_hours), 0) AS uncovered_hours
FROM core_post_heartbeat AS h LEFT JOIN outages_of AS o ON o.subject = h.subject
GROUP BY post
COMMENT 'How far each post vouches for its records, its outages, and the hours not covered up to now. Unit: hours.';

CREATE OR REPLACE VIEW mart_dead_letters /*cluster*/
(
    `source` LowCardinality(String) COMMENT 'Publishing system, if it could be told.',
    `event_type` LowCardinality(String) COMMENT 'Event type, if it could be told.',
    `code` LowCardinality(String) COMMENT 'Reason, machine-readable.',
    `messages` UInt64 COMMENT 'Messages.',
    `newest_at` DateTime64(3, 'UTC') COMMENT 'Newest of them, by the broker: UTC.'
)
AS
SELECT source, event_type, code, uniqExact(topic, partition, offset) AS messages, max(timestamp_at) AS newest_at
FROM dead_letters
GROUP BY source, event_type, code
COMMENT 'Dead letters by publisher, event type and reason. Unit: messages.';

CREATE OR REPLACE VIEW mart_corrections /*cluster*/
(
    `source` LowCardinality(String) COMMENT 'Publisher of the correction.',
    `reason` LowCardinality(String) COMMENT 'Why.',
    `corrections` UInt64 COMMENT 'Corrections.',
    `persons` UInt64 COMMENT 'Different pseudonyms; do not add over rows.'
)
AS
SELECT source, reason, count() AS corrections, uniqExact(subject) AS persons
FROM core_correction
GROUP BY source, reason
COMMENT 'Corrections received, by publisher of the correction and reason. Unit: corrections.';

CREATE OR REPLACE VIEW mart_disputes /*cluster*/
(
    `year` UInt16 COMMENT 'Calendar year.',
    `disputes` UInt64 COMMENT 'Disputes opened.',
    `undecided` UInt64 COMMENT 'Not decided yet.',
    `upheld` UInt64 COMMENT 'The person was right.',
    `rejected` UInt64 COMMENT 'Rejected.',
    `median_days` Nullable(Float64) COMMENT 'Median days to the decision; NULL: none decided.'
)
AS
SELECT toYear(opened_at) AS year, count() AS disputes, countIf(state = 'opened') AS undecided, countIf(state = 'upheld') AS upheld, countIf(state = 'rejected') AS rejected,
       if(undecided = disputes, NULL, quantileExactInclusiveIf(0.5)(dateDiff('second', opened_at, last_at) / 86400, state != 'opened')) AS median_days
FROM (SELECT subject, dispute_id, min(occurred_at) AS opened_at, max(occurred_at) AS last_at, argMax(kind, (occurred_at, toString(event_id))) AS state FROM core_dispute GROUP BY subject, dispute_id)
GROUP BY year
COMMENT 'Disputes by year of opening and how they were decided. Unit: disputes.';
