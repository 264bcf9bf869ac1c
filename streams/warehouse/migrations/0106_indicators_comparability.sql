-- Indicators: the EU's statistics set, for comparison. Each is described in docs/indicators.

CREATE OR REPLACE VIEW mart_eu_refused_entry /*cluster*/
(
    `year` UInt16 COMMENT 'Calendar year.',
    `citizenship` LowCardinality(String) COMMENT 'Citizenship of the document shown, ISO 3166-1 alpha-3 or an ICAO 9303 special code.',
    `reason` LowCardinality(String) COMMENT 'Why entry was refused.',
    `persons` UInt64 COMMENT 'Different pseudonyms; do not add over rows.',
    `refusals` UInt64 COMMENT 'Refusals.'
)
AS
SELECT toYear(occurred_on) AS year, citizenship, ifNull(refusal_reason, '') AS reason, uniqExact(subject) AS persons, count() AS refusals
FROM core_border_crossing
WHERE direction = 'refusal' AND citizenship != 'KAZ'
GROUP BY year, citizenship, reason
COMMENT 'Foreigners refused entry at the border, by year, citizenship and reason. For comparison with the EU\'s statistics (Regulation (EC) No 862/2007, Articles 5 and 7). Unit: persons.';

CREATE OR REPLACE VIEW mart_eu_found_unlawfully_present /*cluster*/
(
    `year` UInt16 COMMENT 'Calendar year.',
    `citizenship` LowCardinality(String) COMMENT 'Citizenship of the document shown, ISO 3166-1 alpha-3 or an ICAO 9303 special code.',
    `persons` UInt64 COMMENT 'Different pseudonyms; do not add over rows.'
)
AS
SELECT toYear(a.first_day_on) AS year, s.citizenship AS citizenship, uniqExact(a.subject) AS persons
FROM (SELECT subject, stay_on, first_day_on FROM alerts_now
      WHERE (startsWith(rule, 'overstay_') OR rule = 'entry_during_ban') AND grade = 'established' AND state NOT IN ('retracted', 'expired')) AS a
LEFT JOIN (SELECT subject, entered_on, max(citizenship) AS citizenship FROM core_stays GROUP BY subject, entered_on) AS s ON s.subject = a.subject AND s.entered_on = a.stay_on
GROUP BY year, citizenship
COMMENT 'Foreigners found unlawfully present: with an overstay or an entry during a ban of grade established, by year of its first day and citizenship. For comparison with the EU\'s statistics (Regulation (EC) No 862/2007, Articles 5 and 7). Unit: persons.';

CREATE OR REPLACE VIEW mart_eu_ordered_to_leave /*cluster*/
(
    `year` UInt16 COMMENT 'Calendar year.',
    `group` LowCardinality(String) COMMENT 'Citizenship group of the policy; never the citizenship itself.',
    `persons` UInt64 COMMENT 'Different pseudonyms; do not add over rows.'
)
AS
SELECT toYear(d.occurred_on) AS year, c.`group` AS `group`, uniqExact(d.subject) AS persons
FROM (SELECT subject, case_id, occurred_on FROM core_case_decision WHERE decision = 'order_to_leave') AS d LEFT JOIN cases_now AS c ON c.case_id = d.case_id
GROUP BY year, `group`
COMMENT 'People ordered to leave by an officer, by year and citizenship group. For comparison with the EU\'s statistics (Regulation (EC) No 862/2007, Articles 5 and 7). Unit: persons.';

CREATE OR REPLACE VIEW mart_eu_returned /*cluster*/
(
    `year` UInt16 COMMENT 'Calendar year.',
    `persons` UInt64 COMMENT 'Different pseudonyms; do not add over rows.',
    `removed` UInt64 COMMENT 'Of them with a decision of removal.'
)
AS
SELECT toYear(left_on) AS year, count() AS persons, countIf(was_removed) AS removed
FROM
(
    SELECT o.subject AS subject, min(x.occurred_on) AS left_on, max(o.removals) > 0 AS was_removed
    FROM (SELECT subject, minIf(occurred_at, decision = 'order_to_leave') AS ordered_at, countIf(decision = 'removed') AS removals FROM core_case_decision GROUP BY subject HAVING countIf(decision = 'order_to_leave') > 0) AS o
    INNER JOIN (SELECT subject, occurred_at, occurred_on FROM core_border_crossing WHERE direction = 'exit') AS x ON x.subject = o.subject
    WHERE x.occurred_at >= o.ordered_at
    GROUP BY subject
)
GROUP BY year
COMMENT 'People ordered to leave whose exit was seen afterwards, by year of the exit, and how many of them were removed. For comparison with the EU\'s statistics (Regulation (EC) No 862/2007, Articles 5 and 7). Unit: persons.';
