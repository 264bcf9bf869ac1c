-- The most asked marts read counts; what each must say stays beside it under recomputed_: --as-of asks that, and tests compare.

CREATE OR REPLACE VIEW recomputed_mart_daily_flows /*cluster*/
(
    `day` Date32 COMMENT 'Local day of the crossing in the zone of the post.',
    `post` LowCardinality(String) COMMENT 'Border post (policy: posts).',
    `oblast` LowCardinality(String) COMMENT 'Oblast the post lay in on that day, ISO 3166-2:KZ; empty if the post is not known.',
    `citizenship` LowCardinality(String) COMMENT 'Citizenship of the document shown, ISO 3166-1 alpha-3 or an ICAO 9303 special code.',
    `direction` LowCardinality(String) COMMENT 'entry, exit or refusal.',
    `crossings` UInt64 COMMENT 'Crossings: one person crossing twice counts twice.',
    `persons` UInt64 COMMENT 'Different pseudonyms among them; do not add over rows.'
)
AS
SELECT occurred_on AS day, post, oblast, citizenship, direction, count() AS crossings, uniqExact(subject) AS persons
FROM core_border_crossing
GROUP BY day, post, oblast, citizenship, direction
COMMENT 'What mart_daily_flows must say, computed from every fact: slow. Daily flows across the border. Corrected and repeated crossings do not count. Not for publication: cells may be small.';

CREATE OR REPLACE VIEW mart_daily_flows /*cluster*/
(
    `day` Date32 COMMENT 'Local day of the crossing in the zone of the post.',
    `post` LowCardinality(String) COMMENT 'Border post (policy: posts).',
    `oblast` LowCardinality(String) COMMENT 'Oblast the post lay in on that day, ISO 3166-2:KZ; empty if the post is not known.',
    `citizenship` LowCardinality(String) COMMENT 'Citizenship of the document shown, ISO 3166-1 alpha-3 or an ICAO 9303 special code.',
    `direction` LowCardinality(String) COMMENT 'entry, exit or refusal.',
    `crossings` UInt64 COMMENT 'Crossings: one person crossing twice counts twice.',
    `persons` UInt64 COMMENT 'Different pseudonyms among them; do not add over rows.'
)
AS
SELECT day, post, oblast, citizenship, direction, toUInt64(sum(c.crossings)) AS crossings, toUInt64(sum(c.persons)) AS persons
FROM counts AS c
WHERE kind = 'flow'
GROUP BY day, post, oblast, citizenship, direction
HAVING crossings > 0
COMMENT 'Daily flows across the border. Corrected and repeated crossings do not count. Not for publication: cells may be small.';

CREATE OR REPLACE VIEW recomputed_mart_open_stays /*cluster*/
(
    `oblast` LowCardinality(String) COMMENT 'Oblast of the post of entry, ISO 3166-2:KZ.',
    `post` LowCardinality(String) COMMENT 'Post of entry.',
    `citizenship` LowCardinality(String) COMMENT 'Citizenship of the document shown at entry; KAZ are citizens who came home.',
    `persons` UInt64 COMMENT 'People whose last crossing is an entry. An upper bound: an exit may not have been seen.',
    `oldest_entry_on` Date32 COMMENT 'Local day of the oldest of these entries.',
    `newest_entry_on` Date32 COMMENT 'Local day of the newest of these entries.'
)
AS
WITH last_crossings AS
(
    SELECT subject, argMax((direction, post, oblast, citizenship, occurred_on), (occurred_at, toString(event_id))) AS last
    FROM core_border_crossing
    WHERE direction IN ('entry', 'exit')
    GROUP BY subject
)
SELECT
    tupleElement(last, 3) AS oblast,
    tupleElement(last, 2) AS post,
    tupleElement(last, 4) AS citizenship,
    count() AS persons,
    min(tupleElement(last, 5)) AS oldest_entry_on,
    max(tupleElement(last, 5)) AS newest_entry_on
FROM last_crossings
WHERE tupleElement(last, 1) = 'entry'
GROUP BY oblast, post, citizenship
COMMENT 'What mart_open_stays must say, computed from every fact: slow. Stock of open stays: people who entered and of whom no later exit has been seen. That is not the same as overstayed.';

CREATE OR REPLACE VIEW mart_open_stays /*cluster*/
(
    `oblast` LowCardinality(String) COMMENT 'Oblast of the post of entry, ISO 3166-2:KZ.',
    `post` LowCardinality(String) COMMENT 'Post of entry.',
    `citizenship` LowCardinality(String) COMMENT 'Citizenship of the document shown at entry; KAZ are citizens who came home.',
    `persons` UInt64 COMMENT 'People whose last crossing is an entry. An upper bound: an exit may not have been seen.',
    `oldest_entry_on` Date32 COMMENT 'Local day of the oldest of these entries.',
    `newest_entry_on` Date32 COMMENT 'Local day of the newest of these entries.'
)
AS
SELECT oblast, post, citizenship, toUInt64(sum(cell)) AS persons, min(day) AS oldest_entry_on, max(day) AS newest_entry_on
FROM (SELECT day, oblast, post, citizenship, sum(c.persons) AS cell FROM counts AS c WHERE kind = 'open' GROUP BY day, oblast, post, citizenship HAVING cell > 0)
GROUP BY oblast, post, citizenship
COMMENT 'Stock of open stays: people who entered and of whom no later exit has been seen. That is not the same as overstayed.';

CREATE OR REPLACE VIEW recomputed_core_presence /*cluster*/
(
    `subject` String COMMENT 'The person\'s pseudonym.',
    `entered_on` Date32 COMMENT 'Local day of the entry.',
    `oblast` LowCardinality(String) COMMENT 'Oblast of the post of entry, ISO 3166-2:KZ.',
    `citizenship` LowCardinality(String) COMMENT 'Citizenship of the document shown, ISO 3166-1 alpha-3 or an ICAO 9303 special code.',
    `purpose` LowCardinality(String) COMMENT 'Purpose stated at the border.',
    `standing` LowCardinality(String) COMMENT 'lawful: no open overstay alert; else the grade of the best known one: established, presumed (no exit seen) or uncertain.'
)
AS
SELECT s.subject AS subject, s.entered_on AS entered_on, s.oblast AS oblast, s.citizenship AS citizenship, s.purpose AS purpose,
       multiIf(a.best = 0, 'lawful', a.best = 3, 'established', a.best = 2, 'presumed', 'uncertain') AS standing
FROM (SELECT * FROM core_stays WHERE ended = 'open' AND citizenship != 'KAZ') AS s
LEFT JOIN
(
    SELECT subject, stay_on, max(multiIf(grade = 'established', 3, grade = 'presumed', 2, 1)) AS best
    FROM alerts_now
    WHERE startsWith(rule, 'overstay_') AND state IN ('raised', 'amended', 'acknowledged')
    GROUP BY subject, stay_on
) AS a ON a.subject = s.subject AND a.stay_on = s.entered_on
COMMENT 'What core_presence must say, computed from every fact: slow. Foreigners whose last crossing is an entry, and how sure their presence is.';

CREATE OR REPLACE VIEW core_presence /*cluster*/
(
    `subject` String COMMENT 'The person\'s pseudonym.',
    `entered_on` Date32 COMMENT 'Local day of the entry.',
    `oblast` LowCardinality(String) COMMENT 'Oblast of the post of entry, ISO 3166-2:KZ.',
    `citizenship` LowCardinality(String) COMMENT 'Citizenship of the document shown, ISO 3166-1 alpha-3 or an ICAO 9303 special code.',
    `purpose` LowCardinality(String) COMMENT 'Purpose stated at the border.',
    `standing` LowCardinality(String) COMMENT 'lawful: no open overstay alert; else the grade of the best known one: established, presumed (no exit seen) or uncertain.'
)
AS
SELECT s.subject AS subject, s.entered_on AS entered_on, s.oblast AS oblast, s.citizenship AS citizenship, s.purpose AS purpose,
       multiIf(a.best = 0, 'lawful', a.best = 3, 'established', a.best = 2, 'presumed', 'uncertain') AS standing
FROM
(
    SELECT subject, day AS entered_on, oblast, citizenship, purpose
    FROM counts AS c WHERE kind = 'present'
    GROUP BY subject, entered_on, oblast, citizenship, purpose
    HAVING sum(c.persons) > 0
) AS s
LEFT JOIN
(
    SELECT subject, stay_on, max(multiIf(grade = 'established', 3, grade = 'presumed', 2, 1)) AS best
    FROM alerts_now
    WHERE startsWith(rule, 'overstay_') AND state IN ('raised', 'amended', 'acknowledged')
    GROUP BY subject, stay_on
) AS a ON a.subject = s.subject AND a.stay_on = s.entered_on
COMMENT 'Foreigners whose last crossing is an entry, and how sure their presence is.';

CREATE OR REPLACE VIEW recomputed_mart_crossings_by_month /*cluster*/
(
    `month` Date32 COMMENT 'First day of the calendar month.',
    `foreigners_in` UInt64 COMMENT 'Entries of foreigners.',
    `foreigners_out` UInt64 COMMENT 'Exits of foreigners.',
    `citizens_in` UInt64 COMMENT 'Entries of Kazakhstan\'s citizens.',
    `citizens_out` UInt64 COMMENT 'Exits of Kazakhstan\'s citizens.',
    `refused` UInt64 COMMENT 'Refusals of entry.'
)
AS
SELECT toDate32(toStartOfMonth(occurred_on)) AS month,
       countIf(direction = 'entry' AND citizenship != 'KAZ') AS foreigners_in, countIf(direction = 'exit' AND citizenship != 'KAZ') AS foreigners_out,
       countIf(direction = 'entry' AND citizenship = 'KAZ') AS citizens_in, countIf(direction = 'exit' AND citizenship = 'KAZ') AS citizens_out,
       countIf(direction = 'refusal') AS refused
FROM core_border_crossing
GROUP BY month
COMMENT 'What mart_crossings_by_month must say, computed from every fact: slow. Entries, exits and refusals of foreigners and of citizens by month of the local day. Unit: crossings.';

CREATE OR REPLACE VIEW mart_crossings_by_month /*cluster*/
(
    `month` Date32 COMMENT 'First day of the calendar month.',
    `foreigners_in` UInt64 COMMENT 'Entries of foreigners.',
    `foreigners_out` UInt64 COMMENT 'Exits of foreigners.',
    `citizens_in` UInt64 COMMENT 'Entries of Kazakhstan\'s citizens.',
    `citizens_out` UInt64 COMMENT 'Exits of Kazakhstan\'s citizens.',
    `refused` UInt64 COMMENT 'Refusals of entry.'
)
AS
SELECT day AS month,
       toUInt64(sumIf(c.crossings, direction = 'entry' AND citizenship != 'KAZ')) AS foreigners_in, toUInt64(sumIf(c.crossings, direction = 'exit' AND citizenship != 'KAZ')) AS foreigners_out,
       toUInt64(sumIf(c.crossings, direction = 'entry' AND citizenship = 'KAZ')) AS citizens_in, toUInt64(sumIf(c.crossings, direction = 'exit' AND citizenship = 'KAZ')) AS citizens_out,
       toUInt64(sumIf(c.crossings, direction = 'refusal')) AS refused
FROM counts AS c
WHERE kind = 'month'
GROUP BY month
HAVING sum(c.crossings) > 0
COMMENT 'Entries, exits and refusals of foreigners and of citizens by month of the local day. Unit: crossings.';

CREATE OR REPLACE VIEW recomputed_mart_entries_by_purpose /*cluster*/
(
    `year` UInt16 COMMENT 'Calendar year.',
    `purpose` LowCardinality(String) COMMENT 'Purpose stated at the border.',
    `entries` UInt64 COMMENT 'Entries of foreigners.',
    `persons` UInt64 COMMENT 'Different pseudonyms; do not add over rows.',
    `share` Float64 COMMENT 'entries / all entries of foreigners in the year.'
)
AS
SELECT toYear(occurred_on) AS year, purpose, count() AS entries, uniqExact(subject) AS persons, entries / sum(entries) OVER (PARTITION BY year) AS share
FROM core_border_crossing
WHERE direction = 'entry' AND citizenship != 'KAZ'
GROUP BY year, purpose
COMMENT 'What mart_entries_by_purpose must say, computed from every fact: slow. Entries of foreigners by year and stated purpose, and how many people they were. Unit: entries.';

CREATE OR REPLACE VIEW mart_entries_by_purpose /*cluster*/
(
    `year` UInt16 COMMENT 'Calendar year.',
    `purpose` LowCardinality(String) COMMENT 'Purpose stated at the border.',
    `entries` UInt64 COMMENT 'Entries of foreigners.',
    `persons` UInt64 COMMENT 'Different pseudonyms; do not add over rows.',
    `share` Float64 COMMENT 'entries / all entries of foreigners in the year.'
)
AS
SELECT toYear(day) AS year, purpose, toUInt64(sum(c.crossings)) AS entries, toUInt64(sum(c.persons)) AS persons, entries / sum(entries) OVER (PARTITION BY year) AS share
FROM counts AS c
WHERE kind = 'year'
GROUP BY year, purpose
HAVING entries > 0
COMMENT 'Entries of foreigners by year and stated purpose, and how many people they were. Unit: entries.';

CREATE OR REPLACE VIEW recomputed_mart_entries_by_country /*cluster*/
(
    `year` UInt16 COMMENT 'Calendar year.',
    `citizenship` LowCardinality(String) COMMENT 'Citizenship of the document shown, ISO 3166-1 alpha-3 or an ICAO 9303 special code.',
    `entries` UInt64 COMMENT 'Entries.',
    `exits` UInt64 COMMENT 'Exits.',
    `net` Int64 COMMENT 'entries - exits.'
)
AS
SELECT toYear(occurred_on) AS year, citizenship, countIf(direction = 'entry') AS entries, countIf(direction = 'exit') AS exits, toInt64(entries) - toInt64(exits) AS net
FROM core_border_crossing
WHERE direction IN ('entry', 'exit') AND citizenship != 'KAZ'
GROUP BY year, citizenship
COMMENT 'What mart_entries_by_country must say, computed from every fact: slow. Entries and exits of foreigners by year and citizenship of the document shown, and their difference. Unit: crossings.';

CREATE OR REPLACE VIEW mart_entries_by_country /*cluster*/
(
    `year` UInt16 COMMENT 'Calendar year.',
    `citizenship` LowCardinality(String) COMMENT 'Citizenship of the document shown, ISO 3166-1 alpha-3 or an ICAO 9303 special code.',
    `entries` UInt64 COMMENT 'Entries.',
    `exits` UInt64 COMMENT 'Exits.',
    `net` Int64 COMMENT 'entries - exits.'
)
AS
SELECT toYear(day) AS year, citizenship, toUInt64(sumIf(c.crossings, direction = 'entry')) AS entries, toUInt64(sumIf(c.crossings, direction = 'exit')) AS exits, toInt64(entries) - toInt64(exits) AS net
FROM counts AS c
WHERE kind = 'month' AND direction IN ('entry', 'exit') AND citizenship != 'KAZ'
GROUP BY year, citizenship
HAVING entries + exits > 0
COMMENT 'Entries and exits of foreigners by year and citizenship of the document shown, and their difference. Unit: crossings.';

CREATE OR REPLACE VIEW recomputed_mart_stay_lengths /*cluster*/
(
    `year` UInt16 COMMENT 'Calendar year.',
    `purpose` LowCardinality(String) COMMENT 'Purpose stated at the border.',
    `stays` UInt64 COMMENT 'Stays.',
    `median_days` Float64 COMMENT 'Median days of presence.',
    `p90_days` Float64 COMMENT '90th percentile of days of presence.'
)
AS
SELECT toYear(assumeNotNull(left_on)) AS year, purpose, count() AS stays,
       quantileExactInclusive(0.5)(dateDiff('day', entered_on, assumeNotNull(left_on)) + 1) AS median_days,
       quantileExactInclusive(0.9)(dateDiff('day', entered_on, assumeNotNull(left_on)) + 1) AS p90_days
FROM core_stays
WHERE ended = 'exit' AND citizenship != 'KAZ'
GROUP BY year, purpose
COMMENT 'What mart_stay_lengths must say, computed from every fact: slow. Days of presence of foreigners\' stays that ended with an exit, by year of the exit and purpose: the day of entry and the day of exit both count. Unit: days.';

CREATE OR REPLACE VIEW mart_stay_lengths /*cluster*/
(
    `year` UInt16 COMMENT 'Calendar year.',
    `purpose` LowCardinality(String) COMMENT 'Purpose stated at the border.',
    `stays` UInt64 COMMENT 'Stays.',
    `median_days` Float64 COMMENT 'Median days of presence.',
    `p90_days` Float64 COMMENT '90th percentile of days of presence.'
)
AS
SELECT toYear(day) AS year, purpose, toUInt64(sum(cell)) AS stays,
       quantileExactWeightedInterpolated(0.5)(days, toUInt64(cell)) AS median_days,
       quantileExactWeightedInterpolated(0.9)(days, toUInt64(cell)) AS p90_days
FROM (SELECT day, purpose, days, sum(c.crossings) AS cell FROM counts AS c WHERE kind = 'stay' GROUP BY day, purpose, days HAVING cell > 0)
GROUP BY year, purpose
COMMENT 'Days of presence of foreigners\' stays that ended with an exit, by year of the exit and purpose: the day of entry and the day of exit both count. Unit: days.';

CREATE OR REPLACE VIEW recomputed_mart_eu_refused_entry /*cluster*/
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
COMMENT 'What mart_eu_refused_entry must say, computed from every fact: slow. Foreigners refused entry at the border, by year, citizenship and reason. For comparison with the EU\'s statistics (Regulation (EC) No 862/2007, Articles 5 and 7). Unit: persons.';

CREATE OR REPLACE VIEW mart_eu_refused_entry /*cluster*/
(
    `year` UInt16 COMMENT 'Calendar year.',
    `citizenship` LowCardinality(String) COMMENT 'Citizenship of the document shown, ISO 3166-1 alpha-3 or an ICAO 9303 special code.',
    `reason` LowCardinality(String) COMMENT 'Why entry was refused.',
    `persons` UInt64 COMMENT 'Different pseudonyms; do not add over rows.',
    `refusals` UInt64 COMMENT 'Refusals.'
)
AS
SELECT toYear(day) AS year, citizenship, reason, toUInt64(sum(c.persons)) AS persons, toUInt64(sum(c.crossings)) AS refusals
FROM counts AS c
WHERE kind = 'refusal'
GROUP BY year, citizenship, reason
HAVING refusals > 0
COMMENT 'Foreigners refused entry at the border, by year, citizenship and reason. For comparison with the EU\'s statistics (Regulation (EC) No 862/2007, Articles 5 and 7). Unit: persons.';
