-- The figures of the Concept of migration policy for 2007-2015 (Presidential Decree No. 399 of 28 August 2007), and the
-- balances computed from events beside them.

CREATE OR REPLACE VIEW mart_external_balance /*cluster*/
(
    `year` UInt16 COMMENT 'Calendar year.',
    `arrivals` Int64 COMMENT 'Persons who moved to Kazakhstan for good.',
    `departures` Int64 COMMENT 'Persons who left Kazakhstan for good.',
    `balance` Int64 COMMENT 'arrivals - departures, persons.',
    `source` String COMMENT 'The Concept, or events: residence changes in this warehouse.'
)
AS
WITH concept AS (SELECT arrayJoin([
    (2001, 34400, 104300), (2002, 58200, 120200), (2003, 65600, 73900), (2004, 68300, 65500), (2005, 74300, 52200), (2006, 67400, 33900)
]) AS row)
SELECT toUInt16(tupleElement(row, 1)) AS year, toInt64(tupleElement(row, 2)) AS arrivals, toInt64(tupleElement(row, 3)) AS departures,
       arrivals - departures AS balance, 'Concept (Decree No. 399 of 28 August 2007)' AS source
FROM concept
UNION ALL
SELECT toYear(moved_on) AS year, toInt64(countIf(to_country = 'KAZ')) AS arrivals, toInt64(countIf(from_country = 'KAZ')) AS departures,
       arrivals - departures AS balance, 'events' AS source
FROM core_residence_change
WHERE (from_country = 'KAZ') != (to_country = 'KAZ')
GROUP BY year
COMMENT 'External migration balance by year, persons (Concept: indicator of the migration situation).';

CREATE OR REPLACE VIEW mart_internal_balance /*cluster*/
(
    `year` UInt16 COMMENT 'Calendar year.',
    `oblast` LowCardinality(String) COMMENT 'ISO 3166-2:KZ.',
    `balance` Int64 COMMENT 'Persons who moved in from other oblasts minus persons who moved out to them.',
    `source` String COMMENT 'The Concept, or events: residence changes in this warehouse.'
)
AS
WITH concept AS (SELECT arrayJoin([
    ('KZ-31', -7682), ('KZ-63', -6635), ('KZ-59', -4786), ('KZ-43', -4272), ('KZ-75', 21959), ('KZ-71', 17938), ('KZ-47', 382)
]) AS row)
SELECT toUInt16(2006) AS year, CAST(tupleElement(row, 1), 'LowCardinality(String)') AS oblast, toInt64(tupleElement(row, 2)) AS balance,
       'Concept (Decree No. 399 of 28 August 2007)' AS source
FROM concept
UNION ALL
SELECT toYear(moved_on) AS year, CAST(assumeNotNull(tupleElement(move, 1)), 'LowCardinality(String)') AS oblast,
       toInt64(sum(tupleElement(move, 2))) AS balance, 'events' AS source
FROM core_residence_change
ARRAY JOIN [(CAST(to_oblast, 'Nullable(String)'), 1), (CAST(from_oblast, 'Nullable(String)'), -1)] AS move
WHERE from_country = 'KAZ' AND to_country = 'KAZ' AND from_oblast IS NOT NULL AND to_oblast IS NOT NULL AND from_oblast != to_oblast
GROUP BY year, oblast
COMMENT 'Internal migration balance by year and oblast, persons (Concept: indicator of the migration situation).';

CREATE OR REPLACE VIEW mart_concept_figures /*cluster*/
(
    `indicator` String COMMENT 'Name of the figure.',
    `year` UInt16 COMMENT 'Year the figure is of.',
    `value` Decimal(18, 2) COMMENT 'The figure, in the unit beside it.',
    `unit` String COMMENT 'persons, families, percent of the economically active population, or tenge.',
    `note` String COMMENT 'What the Concept says of it.',
    `source` String COMMENT 'The Concept.'
)
AS
WITH concept AS (SELECT arrayJoin([
    ('foreign_labour_quota', 2006, 40900.0, 'persons', 'Foreign workers in the quota.'),
    ('foreign_labour_quota_share', 2006, 0.51, 'percent of the economically active population', 'Foreign workers in the quota.'),
    ('unlawful_workers_identified', 2006, 164500.0, 'persons', 'Foreigners working unlawfully identified during the legalisation campaign (1 August to 31 December 2006).'),
    ('refugees', 2006, 582.0, 'persons', 'Refugees.'),
    ('oralmans', 2007, 608000.0, 'persons', 'Oralmans (ethnic returnees), on 1 July 2007.'),
    ('oralman_families', 2007, 155000.0, 'families', 'Their families, on 1 July 2007.'),
    ('oralman_budget', 2003, 3400000000.0, 'tenge', 'Budget for oralmans.'),
    ('oralman_budget', 2004, 7000000000.0, 'tenge', 'Budget for oralmans.'),
    ('oralman_budget', 2005, 11400000000.0, 'tenge', 'Budget for oralmans.'),
    ('oralman_budget', 2006, 11100000000.0, 'tenge', 'Budget for oralmans.'),
    ('oralman_budget', 2007, 12100000000.0, 'tenge', 'Budget for oralmans.')
]) AS row)
SELECT tupleElement(row, 1) AS indicator, toUInt16(tupleElement(row, 2)) AS year, toDecimal64(tupleElement(row, 3), 2) AS value,
       tupleElement(row, 4) AS unit, tupleElement(row, 5) AS note, 'Concept (Decree No. 399 of 28 August 2007)' AS source
FROM concept
COMMENT 'Single figures of the Concept that the indicators are compared with.';
