-- Indicators: follow-up. Each is described in docs/indicators.

CREATE OR REPLACE VIEW mart_follow_up_times /*cluster*/
(
    `stage` LowCardinality(String) COMMENT 'Stage.',
    `cases` UInt64 COMMENT 'Cases that have been in the stage.',
    `median_days` Float64 COMMENT 'Median days.',
    `p90_days` Float64 COMMENT '90th percentile of days.',
    `longest_days` Float64 COMMENT 'Longest, days.'
)
AS
SELECT stage, count() AS cases, quantileExactInclusive(0.5)(days) AS median_days, quantileExactInclusive(0.9)(days) AS p90_days, max(days) AS longest_days
FROM (SELECT case_id, stage, dateDiff('second', min(opened_at), min(decided_at)) / 86400 AS days FROM cases FINAL GROUP BY case_id, stage)
GROUP BY stage
COMMENT 'Days from the opening of a case to its first arrival in a stage. Unit: days.';

CREATE OR REPLACE VIEW mart_case_outcomes /*cluster*/
(
    `year` UInt16 COMMENT 'Calendar year.',
    `cases` UInt64 COMMENT 'Cases opened.',
    `still_open` UInt64 COMMENT 'Someone still has to act.',
    `legalised` UInt64 COMMENT 'Legalised.',
    `left` UInt64 COMMENT 'Left by their own means.',
    `cleared` UInt64 COMMENT 'Nothing was wrong.',
    `referred` UInt64 COMMENT 'Referred for removal by two officers.',
    `removed` UInt64 COMMENT 'Removed.',
    `legalised_ratio` Float64 COMMENT 'legalised / cases.'
)
AS
SELECT toYear(opened_at) AS year, count() AS cases, countIf(open) AS still_open, countIf(stage = 'legalised') AS legalised, countIf(stage = 'left') AS left,
       countIf(stage = 'cleared') AS cleared, countIf(stage = 'referred') AS referred, countIf(stage = 'removed') AS removed, legalised / cases AS legalised_ratio
FROM cases_now
GROUP BY year
COMMENT 'What became of the cases opened in a year. Unit: cases.';

CREATE OR REPLACE VIEW mart_cases_overdue /*cluster*/
(
    `oblast` LowCardinality(String) COMMENT 'ISO 3166-2:KZ; empty if not known.',
    `stage` LowCardinality(String) COMMENT 'Stage.',
    `open_cases` UInt64 COMMENT 'Open cases.',
    `overdue` UInt64 COMMENT 'Of them overdue.',
    `oldest_due_on` Nullable(Date32) COMMENT 'Oldest day that has passed; NULL: none.'
)
AS
SELECT oblast, stage, count() AS open_cases, countIf(due_on < today) AS overdue, minIf(due_on, due_on < today) AS oldest_due_on
FROM (SELECT oblast, stage, due_on, (SELECT today FROM core_clock) AS today FROM cases_now WHERE open)
GROUP BY oblast, stage
COMMENT 'Open cases whose next step was due before the log\'s day, by oblast and stage. Unit: cases.';

CREATE OR REPLACE VIEW mart_case_decisions /*cluster*/
(
    `month` Date32 COMMENT 'First day of the calendar month.',
    `decision` LowCardinality(String) COMMENT 'What was decided.',
    `decisions` UInt64 COMMENT 'Decisions.',
    `cases` UInt64 COMMENT 'Different cases.',
    `officers` UInt64 COMMENT 'Different officers.'
)
AS
SELECT toDate32(toStartOfMonth(occurred_on)) AS month, decision, count() AS decisions, uniqExact(case_id) AS cases, uniqExact(officer) AS officers
FROM core_case_decision
GROUP BY month, decision
COMMENT 'Officers\' decisions by month and kind. Unit: decisions.';

CREATE OR REPLACE VIEW mart_legalisation_campaigns /*cluster*/
(
    `campaign` LowCardinality(String) COMMENT 'Name: the year.',
    `from_on` Date32 COMMENT 'First day.',
    `until_on` Date32 COMMENT 'Last day.',
    `persons` Nullable(UInt64) COMMENT 'People; NULL where the source does not say.',
    `identified` Nullable(UInt64) COMMENT 'Foreigners identified as working unlawfully; NULL where the source does not say.',
    `source` String COMMENT 'The Concept, or events.'
)
AS
WITH [('2006', toDate32('2006-08-01'), toDate32('2006-12-31'))] AS terms
SELECT '2006' AS campaign, toDate32('2006-08-01') AS from_on, toDate32('2006-12-31') AS until_on, CAST(NULL, 'Nullable(UInt64)') AS persons,
       CAST(164500, 'Nullable(UInt64)') AS identified, 'Concept (Decree No. 399 of 28 August 2007)' AS source
UNION ALL
SELECT tupleElement(t, 1) AS campaign, tupleElement(t, 2) AS from_on, tupleElement(t, 3) AS until_on,
       CAST(uniqExactIf(subject, decision = 'legalised' AND occurred_on BETWEEN from_on AND until_on), 'Nullable(UInt64)') AS persons,
       CAST(NULL, 'Nullable(UInt64)') AS identified, 'events' AS source
FROM (SELECT subject, decision, occurred_on, arrayJoin(terms) AS t FROM core_case_decision)
GROUP BY t
COMMENT 'Campaigns of legalisation with the people legalised in their term, and the Concept\'s 164.5 thousand of 2006. Unit: persons.';
