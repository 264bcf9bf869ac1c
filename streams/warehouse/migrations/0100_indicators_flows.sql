-- Indicators: flows across the border and changes of residence. Each is described in docs/indicators.

CREATE OR REPLACE VIEW core_clock /*cluster*/
(
    `now_at` DateTime64(3, 'UTC') COMMENT 'Largest tick in the log: UTC. 1970-01-01 before the first.',
    `today` Date32 COMMENT 'Its calendar day in the zone of the country (Asia/Almaty).'
)
AS
SELECT max(occurred_at) AS now_at, toDate32(toTimeZone(now_at, 'Asia/Almaty')) AS today
FROM raw_tick
WHERE (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM dead_letters)
COMMENT 'Where the log\'s clock stands: every indicator that asks what holds now asks it of this day, so that a replay gives the same answer.';

CREATE OR REPLACE VIEW core_stays /*cluster*/
(
    `subject` String COMMENT 'The person\'s pseudonym.',
    `entry_id` UUID COMMENT 'event_id of the entry.',
    `entered_at` DateTime64(3, 'UTC') COMMENT 'Instant of the entry: UTC.',
    `entered_on` Date32 COMMENT 'Local day of the entry: the stay\'s key.',
    `post` LowCardinality(String) COMMENT 'Post of entry.',
    `oblast` LowCardinality(String) COMMENT 'Oblast of the post of entry, ISO 3166-2:KZ; empty if not known.',
    `citizenship` LowCardinality(String) COMMENT 'Citizenship of the document shown, ISO 3166-1 alpha-3 or an ICAO 9303 special code.',
    `purpose` LowCardinality(String) COMMENT 'Purpose stated at the border.',
    `ended` LowCardinality(String) COMMENT 'exit: an exit was seen; unseen: another entry followed, the exit was not seen; open: nothing followed.',
    `next_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'Instant of the exit or of the next entry: UTC; NULL while open.',
    `left_on` Nullable(Date32) COMMENT 'Local day of the exit; NULL where none was seen.'
)
AS
SELECT subject, entry_id, entered_at, entered_on, post, oblast, citizenship, purpose,
       multiIf(next_direction = 'exit', 'exit', next_direction = 'entry', 'unseen', 'open') AS ended,
       if(ended = 'open', NULL, following_at) AS next_at,
       if(ended = 'exit', greatest(following_on, entered_on), NULL) AS left_on
FROM
(
    SELECT subject, event_id AS entry_id, occurred_at AS entered_at, occurred_on AS entered_on, post, oblast, citizenship, purpose, direction,
           leadInFrame(toString(direction)) OVER following AS next_direction,
           leadInFrame(occurred_at) OVER following AS following_at,
           leadInFrame(occurred_on) OVER following AS following_on
    FROM core_border_crossing
    WHERE direction IN ('entry', 'exit')
    WINDOW following AS (PARTITION BY subject ORDER BY occurred_at, toString(event_id) ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
)
WHERE direction = 'entry'
COMMENT 'Stays: an entry and what followed it. Source: docs/rules.md, Stays.';

CREATE OR REPLACE VIEW mart_external_balance_by_quarter /*cluster*/
(
    `year` UInt16 COMMENT 'Calendar year.',
    `quarter` UInt8 COMMENT 'Quarter of the year, 1 to 4.',
    `arrivals` Int64 COMMENT 'Persons who moved in for good.',
    `departures` Int64 COMMENT 'Persons who moved out for good.',
    `balance` Int64 COMMENT 'arrivals - departures, persons.'
)
AS
SELECT toYear(moved_on) AS year, toQuarter(moved_on) AS quarter, toInt64(countIf(to_country = 'KAZ')) AS arrivals, toInt64(countIf(from_country = 'KAZ')) AS departures,
       arrivals - departures AS balance
FROM core_residence_change
WHERE (from_country = 'KAZ') != (to_country = 'KAZ')
GROUP BY year, quarter
COMMENT 'People who moved to Kazakhstan for good minus people who left it for good, by quarter. Unit: persons.';

CREATE OR REPLACE VIEW mart_external_balance_by_country /*cluster*/
(
    `year` UInt16 COMMENT 'Calendar year.',
    `country` LowCardinality(String) COMMENT 'ISO 3166-1 alpha-3 or an ICAO 9303 special code.',
    `arrivals` Int64 COMMENT 'Persons who moved in for good.',
    `departures` Int64 COMMENT 'Persons who moved out for good.',
    `balance` Int64 COMMENT 'arrivals - departures, persons.'
)
AS
SELECT toYear(moved_on) AS year, if(to_country = 'KAZ', from_country, to_country) AS country, toInt64(countIf(to_country = 'KAZ')) AS arrivals, toInt64(countIf(from_country = 'KAZ')) AS departures,
       arrivals - departures AS balance
FROM core_residence_change
WHERE (from_country = 'KAZ') != (to_country = 'KAZ')
GROUP BY year, country
COMMENT 'People who moved to Kazakhstan for good minus people who left it for good, by year and the other country. Unit: persons.';

CREATE OR REPLACE VIEW mart_external_balance_by_oblast /*cluster*/
(
    `year` UInt16 COMMENT 'Calendar year.',
    `oblast` LowCardinality(String) COMMENT 'ISO 3166-2:KZ; empty if not known.',
    `arrivals` Int64 COMMENT 'Persons who moved in for good.',
    `departures` Int64 COMMENT 'Persons who moved out for good.',
    `balance` Int64 COMMENT 'arrivals - departures, persons.'
)
AS
SELECT toYear(moved_on) AS year, ifNull(if(to_country = 'KAZ', to_oblast, from_oblast), '') AS oblast, toInt64(countIf(to_country = 'KAZ')) AS arrivals, toInt64(countIf(from_country = 'KAZ')) AS departures,
       arrivals - departures AS balance
FROM core_residence_change
WHERE (from_country = 'KAZ') != (to_country = 'KAZ')
GROUP BY year, oblast
COMMENT 'People who moved from abroad into an oblast for good minus people who left it for abroad, by year. Unit: persons.';

CREATE OR REPLACE VIEW mart_internal_moves /*cluster*/
(
    `year` UInt16 COMMENT 'Calendar year.',
    `from_oblast` LowCardinality(String) COMMENT 'Oblast moved from, ISO 3166-2:KZ.',
    `to_oblast` LowCardinality(String) COMMENT 'Oblast moved to, ISO 3166-2:KZ.',
    `moves` UInt64 COMMENT 'Moves of one person each.'
)
AS
SELECT toYear(moved_on) AS year, assumeNotNull(from_oblast) AS from_oblast, assumeNotNull(to_oblast) AS to_oblast, count() AS moves
FROM core_residence_change AS c
WHERE from_country = 'KAZ' AND to_country = 'KAZ' AND c.from_oblast IS NOT NULL AND c.to_oblast IS NOT NULL AND c.from_oblast != c.to_oblast
GROUP BY year, from_oblast, to_oblast
COMMENT 'Moves from one oblast to another, by year: the whole matrix. Unit: persons.';

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
SELECT toDate32(toStartOfMonth(occurred_on)) AS month,
       countIf(direction = 'entry' AND citizenship != 'KAZ') AS foreigners_in, countIf(direction = 'exit' AND citizenship != 'KAZ') AS foreigners_out,
       countIf(direction = 'entry' AND citizenship = 'KAZ') AS citizens_in, countIf(direction = 'exit' AND citizenship = 'KAZ') AS citizens_out,
       countIf(direction = 'refusal') AS refused
FROM core_border_crossing
GROUP BY month
COMMENT 'Entries, exits and refusals of foreigners and of citizens by month of the local day. Unit: crossings.';

CREATE OR REPLACE VIEW mart_entries_by_purpose /*cluster*/
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
COMMENT 'Entries of foreigners by year and stated purpose, and how many people they were. Unit: entries.';

CREATE OR REPLACE VIEW mart_entries_by_country /*cluster*/
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
COMMENT 'Entries and exits of foreigners by year and citizenship of the document shown, and their difference. Unit: crossings.';

CREATE OR REPLACE VIEW mart_outbound_workers /*cluster*/
(
    `year` UInt16 COMMENT 'Calendar year.',
    `country` LowCardinality(String) COMMENT 'Country of work, ISO 3166-1 alpha-3.',
    `sector` LowCardinality(String) COMMENT 'Section letter of the classification of economic activities; empty if not known.',
    `contracts` UInt64 COMMENT 'Contracts.',
    `persons` UInt64 COMMENT 'Different pseudonyms; do not add over rows.'
)
AS
SELECT toYear(from_on) AS year, country, sector, uniqExact(contract_id) AS contracts, uniqExact(subject) AS persons
FROM core_labour_contract
WHERE kind = 'outbound'
GROUP BY year, country, sector
COMMENT 'Contracts of people leaving to work abroad, by year of the first day of work, country and sector. Unit: contracts.';
