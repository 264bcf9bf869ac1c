-- Indicators: kandas and protection. Each is described in docs/indicators.

CREATE OR REPLACE VIEW mart_kandas /*cluster*/
(
    `year` UInt16 COMMENT 'Calendar year.',
    `oblast` LowCardinality(String) COMMENT 'ISO 3166-2:KZ; empty if not known.',
    `kind` LowCardinality(String) COMMENT 'applied, granted, refused, arrived, centre_admitted or centre_completed.',
    `families` UInt64 COMMENT 'Families.',
    `people` UInt64 COMMENT 'People in them.',
    `in_quota` UInt64 COMMENT 'People of families inside the quota.'
)
AS
SELECT toYear(first_on) AS year, o AS oblast, kind, count() AS families, sum(size) AS people, sumIf(size, quota) AS in_quota
FROM
(
    SELECT family_id, kind, min(occurred_on) AS first_on, argMin(k.oblast, (occurred_at, toString(event_id))) AS o, max(family_size) AS size, max(k.in_quota) AS quota
    FROM core_kandas AS k
    GROUP BY family_id, kind
)
GROUP BY year, oblast, kind
COMMENT 'Families and people of ethnic returnees by year, oblast and step. Unit: families; persons.';

CREATE OR REPLACE VIEW mart_kandas_by_country /*cluster*/
(
    `year` UInt16 COMMENT 'Calendar year.',
    `country` LowCardinality(String) COMMENT 'ISO 3166-1 alpha-3 or an ICAO 9303 special code.',
    `families` UInt64 COMMENT 'Families.',
    `people` UInt64 COMMENT 'People in them.'
)
AS
SELECT toYear(first_on) AS year, from_where AS country, count() AS families, sum(size) AS people
FROM
(
    SELECT family_id, min(occurred_on) AS first_on, argMin(from_country, (occurred_at, toString(event_id))) AS from_where, max(family_size) AS size
    FROM core_kandas WHERE kind = 'arrived'
    GROUP BY family_id
)
GROUP BY year, country
COMMENT 'Families and people of ethnic returnees who arrived, by year and country of origin. Unit: persons.';

CREATE OR REPLACE VIEW mart_kandas_adaptation /*cluster*/
(
    `year` UInt16 COMMENT 'Calendar year.',
    `arrived` UInt64 COMMENT 'Families that arrived.',
    `admitted` UInt64 COMMENT 'Of them admitted to a centre.',
    `completed` UInt64 COMMENT 'Of them completed it.',
    `median_days` Nullable(Float64) COMMENT 'Median days from admission to completion; NULL: none completed.',
    `ratio` Float64 COMMENT 'completed / arrived.'
)
AS
SELECT toYear(arrived_on) AS year, count() AS arrived, countIf(admitted_on IS NOT NULL) AS admitted, countIf(completed_on IS NOT NULL) AS completed,
       if(completed = 0, NULL, quantileExactInclusiveIf(0.5)(dateDiff('day', assumeNotNull(admitted_on), assumeNotNull(completed_on)), admitted_on IS NOT NULL AND completed_on IS NOT NULL)) AS median_days,
       completed / arrived AS ratio
FROM
(
    SELECT family_id, minIf(occurred_on, kind = 'arrived') AS arrived_on,
           if(countIf(kind = 'centre_admitted') = 0, NULL, minIf(occurred_on, kind = 'centre_admitted')) AS admitted_on,
           if(countIf(kind = 'centre_completed') = 0, NULL, minIf(occurred_on, kind = 'centre_completed')) AS completed_on
    FROM core_kandas
    GROUP BY family_id
    HAVING countIf(kind = 'arrived') > 0
)
GROUP BY year
COMMENT 'Families that went to an adaptation centre and completed it, of families that arrived, by year of arrival, with days in the centre. Unit: families.';

CREATE OR REPLACE VIEW core_asylum /*cluster*/
(
    `protection_id` UUID COMMENT 'The procedure.',
    `subject` String COMMENT 'The person\'s pseudonym.',
    `applied_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'First application: UTC; NULL if not in the log.',
    `decided_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'First decision: UTC; NULL while pending.',
    `decision` LowCardinality(String) COMMENT 'First decision: recognised or refused; empty while pending.',
    `outcome` LowCardinality(String) COMMENT 'Latest step: pending, recognised, refused, appealed, dismissed or ended.',
    `valid_until_on` Nullable(Date32) COMMENT 'Last day of the latest status; NULL where open-ended.'
)
AS
SELECT protection_id, argMax(subject, (occurred_at, toString(event_id))) AS subject,
       if(countIf(kind = 'asylum_applied') = 0, NULL, minIf(occurred_at, kind = 'asylum_applied')) AS applied_at,
       if(countIf(kind IN ('asylum_recognised', 'asylum_refused')) = 0, NULL, minIf(occurred_at, kind IN ('asylum_recognised', 'asylum_refused'))) AS decided_at,
       transform(argMinIf(kind, (occurred_at, toString(event_id)), kind IN ('asylum_recognised', 'asylum_refused')), ['asylum_recognised', 'asylum_refused'], ['recognised', 'refused'], '') AS decision,
       transform(argMax(kind, (occurred_at, toString(event_id))), ['asylum_applied', 'asylum_recognised', 'appeal_upheld', 'asylum_refused', 'appeal_filed', 'appeal_dismissed', 'status_ended'],
                 ['pending', 'recognised', 'recognised', 'refused', 'appealed', 'dismissed', 'ended'], '') AS outcome,
       tupleElement(argMax(tuple(p.valid_until_on), (occurred_at, toString(event_id))), 1) AS valid_until_on
FROM core_protection_status AS p
GROUP BY protection_id
HAVING countIf(startsWith(kind, 'asylum_') OR startsWith(kind, 'appeal_')) > 0
COMMENT 'Asylum procedures, one a row.';

CREATE OR REPLACE VIEW mart_asylum /*cluster*/
(
    `year` UInt16 COMMENT 'Calendar year.',
    `applications` UInt64 COMMENT 'Procedures begun.',
    `pending` UInt64 COMMENT 'Without a decision.',
    `recognised` UInt64 COMMENT 'Recognised now, on appeal too.',
    `refused` UInt64 COMMENT 'Refused now, and no appeal filed.',
    `appealed` UInt64 COMMENT 'In appeal.',
    `dismissed` UInt64 COMMENT 'Appeal dismissed.',
    `ended` UInt64 COMMENT 'Status ended.',
    `recognition_ratio` Nullable(Float64) COMMENT 'First decisions that recognised / first decisions; NULL: none yet.'
)
AS
SELECT toYear(assumeNotNull(applied_at)) AS year, count() AS applications, countIf(outcome = 'pending') AS pending, countIf(outcome = 'recognised') AS recognised,
       countIf(outcome = 'refused') AS refused, countIf(outcome = 'appealed') AS appealed, countIf(outcome = 'dismissed') AS dismissed, countIf(outcome = 'ended') AS ended,
       if(countIf(decision != '') = 0, NULL, countIf(decision = 'recognised') / countIf(decision != '')) AS recognition_ratio
FROM core_asylum WHERE applied_at IS NOT NULL
GROUP BY year
COMMENT 'Applications by year of application, and what became of them. Unit: procedures.';

CREATE OR REPLACE VIEW mart_asylum_times /*cluster*/
(
    `year` UInt16 COMMENT 'Calendar year.',
    `decision` LowCardinality(String) COMMENT 'recognised or refused.',
    `decisions` UInt64 COMMENT 'First decisions.',
    `median_days` Float64 COMMENT 'Median days.',
    `p90_days` Float64 COMMENT '90th percentile of days.'
)
AS
SELECT toYear(assumeNotNull(decided_at)) AS year, decision, count() AS decisions,
       quantileExactInclusive(0.5)(dateDiff('second', assumeNotNull(applied_at), assumeNotNull(decided_at)) / 86400) AS median_days,
       quantileExactInclusive(0.9)(dateDiff('second', assumeNotNull(applied_at), assumeNotNull(decided_at)) / 86400) AS p90_days
FROM core_asylum WHERE applied_at IS NOT NULL AND decided_at IS NOT NULL
GROUP BY year, decision
COMMENT 'Days from application to the first decision, by year and kind of the decision. Unit: days.';

CREATE OR REPLACE VIEW mart_refugees /*cluster*/
(
    `as_of_on` Date32 COMMENT 'Day the figure is of.',
    `refugees` UInt64 COMMENT 'Recognised, status not over.',
    `waiting` Nullable(UInt64) COMMENT 'Pending or in appeal; NULL: not known.',
    `source` String COMMENT 'The Concept, or events.'
)
AS
SELECT toDate32('2006-12-31') AS as_of_on, toUInt64(582) AS refugees, CAST(NULL, 'Nullable(UInt64)') AS waiting, 'Concept (Decree No. 399 of 28 August 2007)' AS source
UNION ALL
SELECT (SELECT today FROM core_clock) AS as_of_on, uniqExactIf(subject, outcome = 'recognised' AND (valid_until_on IS NULL OR valid_until_on >= as_of_on)) AS refugees,
       CAST(uniqExactIf(subject, outcome IN ('pending', 'appealed')), 'Nullable(UInt64)') AS waiting, 'events' AS source
FROM core_asylum
COMMENT 'Recognised refugees on the log\'s day, and applicants and appellants waiting; the Concept\'s 582 of 2006 beside it. Unit: persons.';

CREATE OR REPLACE VIEW mart_non_refoulement /*cluster*/
(
    `oblast` LowCardinality(String) COMMENT 'ISO 3166-2:KZ; empty if not known.',
    `protected_cases` UInt64 COMMENT 'Cases whose person is protected now.',
    `blocked_broken` UInt64 COMMENT 'Of them in stage referred or removed by a version decided while protected: must be 0.'
)
AS
SELECT oblast, count() AS protected_cases, countIf(stage IN ('referred', 'removed')) AS blocked_broken
FROM cases_now WHERE protected
GROUP BY oblast
COMMENT 'Cases of protected people by stage: none may be referred or removed. Unit: cases.';
