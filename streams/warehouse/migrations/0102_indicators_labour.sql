-- Indicators: labour and quotas. Each is described in docs/indicators.

CREATE TABLE IF NOT EXISTS workforce /*cluster*/
(
    `year` UInt16 COMMENT 'Calendar year.',
    `persons` UInt64 COMMENT 'Economically active population.',
    `source` String COMMENT 'Where the figure is from.',
    `entered_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When it was entered; the latest entry of a year holds: UTC.'
)
ENGINE = /*replicated*/ReplacingMergeTree(entered_at)
ORDER BY year
COMMENT 'Economically active population by year, entered by an administrator: the denominator of the quota\'s share.';

CREATE OR REPLACE VIEW mart_unregistered_workers_by_sector /*cluster*/
(
    `sector` LowCardinality(String) COMMENT 'Section letter of the classification of economic activities; empty if not known.',
    `persons` UInt64 COMMENT 'Different pseudonyms; do not add over rows.',
    `employers` UInt64 COMMENT 'Different employers named.',
    `without_permit` UInt64 COMMENT 'Persons with no permit at all.',
    `permit_expired` UInt64 COMMENT 'Persons with an expired permit.',
    `other_employer` UInt64 COMMENT 'Persons whose permit names another employer.'
)
AS
SELECT sector, uniqExact(subject) AS persons, uniqExactIf(employer, employer != '') AS employers,
       uniqExactIf(subject, rule = 'work_without_permit') AS without_permit, uniqExactIf(subject, rule = 'work_permit_expired') AS permit_expired,
       uniqExactIf(subject, rule = 'work_other_employer') AS other_employer
FROM alerts_now WHERE rule IN ('work_without_permit', 'work_permit_expired', 'work_other_employer') AND state IN ('raised', 'amended', 'acknowledged')
GROUP BY sector
COMMENT 'People with an open alert of working without a permit, with an expired one or for another employer, by sector. Unit: persons.';

CREATE OR REPLACE VIEW mart_unregistered_workers_by_oblast /*cluster*/
(
    `oblast` LowCardinality(String) COMMENT 'ISO 3166-2:KZ; empty if not known.',
    `persons` UInt64 COMMENT 'Different pseudonyms; do not add over rows.',
    `employers` UInt64 COMMENT 'Different employers named.',
    `without_permit` UInt64 COMMENT 'Persons with no permit at all.',
    `permit_expired` UInt64 COMMENT 'Persons with an expired permit.',
    `other_employer` UInt64 COMMENT 'Persons whose permit names another employer.'
)
AS
SELECT oblast, uniqExact(subject) AS persons, uniqExactIf(employer, employer != '') AS employers,
       uniqExactIf(subject, rule = 'work_without_permit') AS without_permit, uniqExactIf(subject, rule = 'work_permit_expired') AS permit_expired,
       uniqExactIf(subject, rule = 'work_other_employer') AS other_employer
FROM alerts_now WHERE rule IN ('work_without_permit', 'work_permit_expired', 'work_other_employer') AND state IN ('raised', 'amended', 'acknowledged')
GROUP BY oblast
COMMENT 'People with an open alert of working without a permit, with an expired one or for another employer, by oblast. Unit: persons.';

CREATE OR REPLACE VIEW mart_work_breaches /*cluster*/
(
    `rule` LowCardinality(String) COMMENT 'Rule that speaks, see docs/rules.md.',
    `state` LowCardinality(String) COMMENT 'State of the latest version.',
    `grade` LowCardinality(String) COMMENT 'Evidence grade: established, presumed (no exit seen) or uncertain.',
    `alerts` UInt64 COMMENT 'Alerts.',
    `persons` UInt64 COMMENT 'Different pseudonyms; do not add over rows.'
)
AS
SELECT rule, state, grade, count() AS alerts, uniqExact(subject) AS persons
FROM alerts_now WHERE startsWith(rule, 'work_') OR rule IN ('contract_not_concluded', 'household_permit_too_long')
GROUP BY rule, state, grade
COMMENT 'Alerts of all work rules by rule, state and grade. Unit: alerts.';

CREATE OR REPLACE VIEW mart_work_permits /*cluster*/
(
    `year` UInt16 COMMENT 'Calendar year.',
    `permit_type` LowCardinality(String) COMMENT 'employer, household, self_employment, intra_company or seasonal.',
    `category` LowCardinality(String) COMMENT 'Category of an employer permit; empty for the other types.',
    `issued` UInt64 COMMENT 'Issued.',
    `extended` UInt64 COMMENT 'Extensions.',
    `revoked` UInt64 COMMENT 'Revoked.'
)
AS
SELECT toYear(occurred_on) AS year, permit_type, ifNull(w.category, '') AS category, countIf(kind = 'issued') AS issued, countIf(kind = 'extended') AS extended, countIf(kind = 'revoked') AS revoked
FROM core_work_permit AS w
GROUP BY year, permit_type, category
COMMENT 'Steps of work permits by year, type and category. Unit: permits.';

CREATE OR REPLACE VIEW core_work_permits /*cluster*/
(
    `permit_id` UUID COMMENT 'The permit.',
    `subject` String COMMENT 'The holder\'s pseudonym.',
    `permit_type` LowCardinality(String) COMMENT 'employer, household, self_employment, intra_company or seasonal.',
    `category` LowCardinality(String) COMMENT 'Category of an employer permit; empty for the other types.',
    `employer` String COMMENT 'Pseudonym of the employer it names; empty where it names none.',
    `oblast` LowCardinality(String) COMMENT 'The oblast it is valid in, ISO 3166-2:KZ.',
    `sector` LowCardinality(String) COMMENT 'Section letter of the classification of economic activities; empty if not known.',
    `valid_from_on` Date32 COMMENT 'First day.',
    `valid_until_on` Date32 COMMENT 'Last day.',
    `kind` LowCardinality(String) COMMENT 'Latest step: issued, extended or revoked.'
)
AS
SELECT permit_id, subject, permit_type, ifNull(w.category, '') AS category, ifNull(w.employer, '') AS employer, oblast, sector, valid_from_on, valid_until_on, kind
FROM core_work_permit AS w
ORDER BY permit_id, occurred_at DESC, toString(event_id) DESC
LIMIT 1 BY permit_id
COMMENT 'Work permits, each by its latest record.';

CREATE OR REPLACE VIEW mart_work_permits_in_force /*cluster*/
(
    `permit_type` LowCardinality(String) COMMENT 'employer, household, self_employment, intra_company or seasonal.',
    `oblast` LowCardinality(String) COMMENT 'ISO 3166-2:KZ; empty if not known.',
    `sector` LowCardinality(String) COMMENT 'Section letter of the classification of economic activities; empty if not known.',
    `permits` UInt64 COMMENT 'Permits in force.',
    `persons` UInt64 COMMENT 'Different pseudonyms; do not add over rows.'
)
AS
SELECT permit_type, oblast, sector, count() AS permits, uniqExact(subject) AS persons
FROM core_work_permits
WHERE kind != 'revoked' AND (SELECT today FROM core_clock) BETWEEN valid_from_on AND valid_until_on
GROUP BY permit_type, oblast, sector
COMMENT 'Work permits in force on the log\'s day, by type, oblast and sector. Unit: permits.';

CREATE OR REPLACE VIEW core_quota_lines /*cluster*/
(
    `quota` LowCardinality(String) COMMENT 'labour or kandas.',
    `year` UInt16 COMMENT 'Calendar year.',
    `oblast` LowCardinality(String) COMMENT 'ISO 3166-2:KZ; empty for the whole country.',
    `category` LowCardinality(String) COMMENT 'Labour category; empty for all.',
    `sector` LowCardinality(String) COMMENT 'Section letter; empty for all.',
    `version` Int32 COMMENT '1, 2, … within the year.',
    `persons` Int64 COMMENT 'People allowed.',
    `effective_on` Date32 COMMENT 'First day of this version.',
    `until_on` Date32 COMMENT 'Last day of this version: the day before the next, or 31 December.',
    `used_to_end` UInt64 COMMENT 'Used from 1 January to the last day of this version, or the log\'s day.',
    `used` UInt64 COMMENT 'Of them while this version held.',
    `last_28` UInt64 COMMENT 'Used in the 28 days up to the log\'s day, or the last of this version.'
)
AS
WITH
    versions AS
    (
        SELECT quota, year, ifNull(q.oblast, '') AS oblast, ifNull(q.category, '') AS category, ifNull(q.sector, '') AS sector, version,
               argMax(q.persons, (recorded_at, toString(event_id))) AS persons, argMax(q.effective_on, (recorded_at, toString(event_id))) AS effective_on
        FROM core_quota_allocation AS q
        GROUP BY quota, year, oblast, category, sector, version
    ),
    lines AS
    (
        SELECT *, leadInFrame(toInt32(effective_on), 1, toInt32(makeDate32(year + 1, 1, 1))) OVER
                   (PARTITION BY quota, year, oblast, category, sector ORDER BY version ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) - 1 AS last_day
        FROM versions
    ),
    uses AS
    (
        SELECT 'labour' AS quota, permit_id AS id, min(occurred_on) AS used_on, argMin(toString(w.oblast), (occurred_at, toString(event_id))) AS used_oblast,
               argMin(if(permit_type = 'seasonal', 'seasonal', ifNull(w.category, '')), (occurred_at, toString(event_id))) AS used_category,
               argMin(toString(w.sector), (occurred_at, toString(event_id))) AS used_sector, 1 AS people
        FROM core_work_permit AS w
        WHERE kind = 'issued' AND permit_type IN ('employer', 'seasonal')
        GROUP BY id
        UNION ALL
        SELECT 'kandas' AS quota, family_id AS id, min(occurred_on) AS used_on, argMin(toString(k.oblast), (occurred_at, toString(event_id))) AS used_oblast,
               '' AS used_category, '' AS used_sector, max(family_size) AS people
        FROM core_kandas AS k
        WHERE kind = 'granted' AND in_quota
        GROUP BY id
    ),
    by_line AS
    (
        SELECT quota, toYear(used_on) AS year, used_on, tupleElement(line, 1) AS oblast, tupleElement(line, 2) AS category, tupleElement(line, 3) AS sector, sum(people) AS people
        FROM uses
        ARRAY JOIN arrayDistinct(arrayMap(mask -> (if(bitTest(mask, 0), used_oblast, ''), if(bitTest(mask, 1), used_category, ''), if(bitTest(mask, 2), used_sector, '')), range(8))) AS line
        GROUP BY quota, year, used_on, oblast, category, sector
    )
SELECT l.quota AS quota, l.year AS year, l.oblast AS oblast, l.category AS category, l.sector AS sector, l.version AS version,
       max(l.persons) AS persons, max(l.effective_on) AS effective_on, addDays(toDate32('1970-01-01'), max(l.last_day)) AS until_on,
       sumIf(u.people, toInt32(u.used_on) <= l.last_day) AS used_to_end,
       sumIf(u.people, toInt32(u.used_on) BETWEEN toInt32(l.effective_on) AND l.last_day) AS used,
       sumIf(u.people, toInt32(u.used_on) BETWEEN least(l.last_day, toInt32((SELECT today FROM core_clock))) - 27 AND least(l.last_day, toInt32((SELECT today FROM core_clock)))) AS last_28
FROM lines AS l
LEFT JOIN by_line AS u ON u.quota = l.quota AND u.year = l.year AND u.oblast = l.oblast AND u.category = l.category AND u.sector = l.sector
GROUP BY quota, year, oblast, category, sector, version
COMMENT 'Quota lines with every version, how long each held, and what was used. Source: Concept, foreign-labour quota.';

CREATE OR REPLACE VIEW mart_quota_use /*cluster*/
(
    `quota` LowCardinality(String) COMMENT 'labour or kandas.',
    `year` UInt16 COMMENT 'Calendar year.',
    `oblast` LowCardinality(String) COMMENT 'ISO 3166-2:KZ; empty for the whole country.',
    `category` LowCardinality(String) COMMENT 'Labour category; empty for all.',
    `sector` LowCardinality(String) COMMENT 'Section letter; empty for all.',
    `version` Int32 COMMENT '1, 2, … within the year.',
    `effective_on` Date32 COMMENT 'First day of this version.',
    `until_on` Date32 COMMENT 'Last day of this version.',
    `allocated` Int64 COMMENT 'People allowed.',
    `used` UInt64 COMMENT 'Used while this version held.',
    `used_to_end` UInt64 COMMENT 'Used in the year up to the end of this version.',
    `ratio` Nullable(Float64) COMMENT 'used_to_end / allocated; NULL where nothing is allowed.'
)
AS
SELECT quota, year, oblast, category, sector, version, effective_on, until_on, persons AS allocated, used, used_to_end,
       if(persons = 0, NULL, used_to_end / persons) AS ratio
FROM core_quota_lines
COMMENT 'Quota allocated and used, by year, oblast, category, sector and version inside the year. Unit: persons.';

CREATE OR REPLACE VIEW mart_quota_cockpit /*cluster*/
(
    `quota` LowCardinality(String) COMMENT 'labour or kandas.',
    `year` UInt16 COMMENT 'Calendar year.',
    `oblast` LowCardinality(String) COMMENT 'ISO 3166-2:KZ; empty for the whole country.',
    `category` LowCardinality(String) COMMENT 'Labour category; empty for all.',
    `sector` LowCardinality(String) COMMENT 'Section letter; empty for all.',
    `version` Int32 COMMENT 'The version in force.',
    `versions` UInt64 COMMENT 'Versions of this line in the year so far.',
    `first_allocated` Int64 COMMENT 'People the first version allowed.',
    `allocated` Int64 COMMENT 'People the version in force allows.',
    `used` UInt64 COMMENT 'Used in the year to date.',
    `pending` Nullable(UInt64) COMMENT 'People who applied inside the quota this year and are not decided; NULL for labour.',
    `left` Int64 COMMENT 'allocated - used; negative when the quota is exceeded.',
    `pace_per_day` Float64 COMMENT 'Mean use a day in the last 28 days of the line\'s year.',
    `exhausted_on` Nullable(Date32) COMMENT 'Day the quota will be used up at this pace; NULL: not in this year.',
    `earliest_on` Nullable(Date32) COMMENT 'The same at the pace\'s upper 90 % bound; NULL: not in this year.',
    `latest_on` Nullable(Date32) COMMENT 'The same at its lower 10 % bound; NULL: not in this year.'
)
AS
WITH
    assumeNotNull((SELECT today FROM core_clock)) AS today,
    lines AS
    (
        SELECT quota, year, oblast, category, sector, max(l.version) AS version, count() AS versions, argMin(l.persons, l.version) AS first_allocated,
               argMax(l.persons, l.version) AS allocated, argMax(l.used_to_end, l.version) AS used, argMax(l.last_28, l.version) AS recent
        FROM core_quota_lines AS l
        WHERE effective_on <= today AND year = toYear(today)
        GROUP BY quota, year, oblast, category, sector
    ),
    pending_families AS
    (
        SELECT pending_oblast AS oblast, sum(people) AS people
        FROM
        (
            SELECT family_id, argMin(toString(k.oblast), (occurred_at, toString(event_id))) AS settled_in, max(family_size) AS people
            FROM core_kandas AS k
            WHERE in_quota
            GROUP BY family_id
            HAVING countIf(kind IN ('granted', 'refused')) = 0 AND toYear(minIf(occurred_on, kind = 'applied')) = toYear(today) AND countIf(kind = 'applied') > 0
        )
        ARRAY JOIN arrayDistinct(['', settled_in]) AS pending_oblast
        GROUP BY pending_oblast
    )
SELECT l.quota AS quota, l.year AS year, l.oblast AS oblast, l.category AS category, l.sector AS sector, l.version AS version, l.versions AS versions,
       l.first_allocated AS first_allocated, l.allocated AS allocated, l.used AS used, if(l.quota = 'kandas', p.people, NULL) AS pending,
       l.allocated - toInt64(l.used) AS left, l.recent / 28 AS pace_per_day,
       if(left <= 0, today, if(pace_per_day > 0 AND ceil(left / pace_per_day) <= days_left, addDays(today, toInt32(ceil(left / pace_per_day))), NULL)) AS exhausted_on,
       if(left <= 0, today, if(ceil(left / fast) <= days_left, addDays(today, toInt32(ceil(left / fast))), NULL)) AS earliest_on,
       if(left <= 0, today, if(slow > 0 AND ceil(left / slow) <= days_left, addDays(today, toInt32(ceil(left / slow))), NULL)) AS latest_on
FROM
(
    SELECT *, dateDiff('day', today, makeDate32(year, 12, 31)) AS days_left,
           (recent + 1.2816 * sqrt(recent + 1) + 0.5) / 28 AS fast, greatest(recent - 1.2816 * sqrt(recent), 0) / 28 AS slow
    FROM lines
) AS l
LEFT JOIN pending_families AS p ON p.oblast = l.oblast
COMMENT 'Every quota line by the version in force on the log\'s day: allowed, used, pending, left, pace, and the day it will be exhausted, with an interval of 80 %. Unit: persons; dates.';

CREATE OR REPLACE VIEW core_workforce /*cluster*/
(
    `year` UInt16 COMMENT 'Calendar year.',
    `persons` UInt64 COMMENT 'Economically active population.',
    `source` String COMMENT 'Where the figure is from.'
)
AS
SELECT toUInt16(2006) AS year, toUInt64(round(40900 / 0.0051)) AS persons, 'derived from the Concept: 40.9 thousand are 0.51 %' AS source
UNION ALL
SELECT year, argMax(w.persons, entered_at) AS persons, argMax(w.source, entered_at) AS source FROM workforce AS w WHERE year != 2006 GROUP BY year
COMMENT 'Economically active population by year: denominators.';

CREATE OR REPLACE VIEW mart_quota_share /*cluster*/
(
    `year` UInt16 COMMENT 'Calendar year.',
    `allocated` UInt64 COMMENT 'People the last version of the year allows.',
    `used` Nullable(UInt64) COMMENT 'Used of it; NULL where the log does not reach.',
    `population` Nullable(UInt64) COMMENT 'Economically active population.',
    `allocated_share` Nullable(Float64) COMMENT 'allocated / population.',
    `used_share` Nullable(Float64) COMMENT 'used / population.',
    `source` String COMMENT 'The Concept, or events.'
)
AS
SELECT y.year AS year, y.allocated AS allocated, y.used AS used, if(p.persons = 0, NULL, p.persons) AS population,
       allocated / population AS allocated_share, used / population AS used_share, y.source AS source
FROM
(
    SELECT toUInt16(2006) AS year, toUInt64(40900) AS allocated, CAST(NULL, 'Nullable(UInt64)') AS used, 'Concept (Decree No. 399 of 28 August 2007)' AS source
    UNION ALL
    SELECT year, toUInt64(argMax(l.persons, l.version)) AS allocated, CAST(argMax(l.used_to_end, l.version), 'Nullable(UInt64)') AS used, 'events' AS source
    FROM core_quota_lines AS l WHERE quota = 'labour' AND oblast = '' AND category = '' AND sector = ''
    GROUP BY year
) AS y
LEFT JOIN core_workforce AS p ON p.year = y.year
COMMENT 'The country\'s labour quota of the year (its last version) and what was used of it, against the economically active population; the Concept\'s 2006 beside it. Unit: ratio.';

CREATE OR REPLACE VIEW mart_citizens_share /*cluster*/
(
    `employer` String COMMENT 'Pseudonym of the employer.',
    `as_of_on` Date32 COMMENT 'Day the figures are of.',
    `oblast` LowCardinality(String) COMMENT 'ISO 3166-2:KZ; empty if not known.',
    `sector` LowCardinality(String) COMMENT 'Section letter of the classification of economic activities; empty if not known.',
    `size` LowCardinality(String) COMMENT 'Size class of the enterprise.',
    `share_12` Nullable(Float64) COMMENT 'Citizens\' share in categories 1 and 2; NULL where nobody is employed in them.',
    `share_34` Nullable(Float64) COMMENT 'Citizens\' share in categories 3 and 4; NULL where nobody is.',
    `least_12` Nullable(Float64) COMMENT 'Least share in categories 1 and 2 on that day; NULL: none in force.',
    `least_34` Nullable(Float64) COMMENT 'Least share in categories 3 and 4 on that day.',
    `below` Bool COMMENT 'Below the least share in either.'
)
AS
WITH
    [(toDate32('2007-01-01'), 0.7, 0.9)] AS terms,
    latest AS (SELECT * FROM core_employer_declaration ORDER BY subject, as_of_on DESC, recorded_at DESC, toString(event_id) DESC LIMIT 1 BY subject)
SELECT subject AS employer, as_of_on, oblast, sector, size,
       if(citizens_12 + foreigners_12 = 0, NULL, citizens_12 / (citizens_12 + foreigners_12)) AS share_12,
       if(citizens_34 + foreigners_34 = 0, NULL, citizens_34 / (citizens_34 + foreigners_34)) AS share_34,
       arrayFilter(t -> tupleElement(t, 1) <= as_of_on, terms) AS in_force,
       if(empty(in_force), NULL, tupleElement(in_force[-1], 2)) AS least_12, if(empty(in_force), NULL, tupleElement(in_force[-1], 3)) AS least_34,
       ifNull(share_12 < least_12, false) OR ifNull(share_34 < least_34, false) AS below
FROM latest
COMMENT 'Citizens among an employer\'s workers by its latest declaration, against the least share in force on that day. Unit: ratio.';

CREATE OR REPLACE VIEW mart_employers_below_citizens_share /*cluster*/
(
    `oblast` LowCardinality(String) COMMENT 'ISO 3166-2:KZ; empty if not known.',
    `sector` LowCardinality(String) COMMENT 'Section letter of the classification of economic activities; empty if not known.',
    `employers` UInt64 COMMENT 'Employers with a declaration.',
    `below` UInt64 COMMENT 'Of them below the least share.',
    `ratio` Float64 COMMENT 'below / employers.'
)
AS
SELECT oblast, sector, count() AS employers, countIf(s.below) AS below, below / employers AS ratio
FROM mart_citizens_share AS s
GROUP BY oblast, sector
COMMENT 'Employers whose latest declaration is below the least share of citizens, by oblast and sector. Unit: employers.';

CREATE OR REPLACE VIEW mart_inspections /*cluster*/
(
    `year` UInt16 COMMENT 'Calendar year.',
    `oblast` LowCardinality(String) COMMENT 'ISO 3166-2:KZ; empty if not known.',
    `visits` UInt64 COMMENT 'Visits: different inspections.',
    `checked` UInt64 COMMENT 'People checked in the country.',
    `found_working` UInt64 COMMENT 'People found working.',
    `unlawful` UInt64 COMMENT 'Of them with an alert of working without, with an expired or with another employer\'s permit.'
)
AS
SELECT toYear(i.occurred_on) AS year, i.oblast AS oblast, uniqExact(i.inspection_id) AS visits, uniqExactIf(i.subject, i.kind = 'in_country_check') AS checked,
       uniqExactIf(i.subject, i.kind = 'worker_found') AS found_working, uniqExactIf(i.subject, i.kind = 'worker_found' AND b.breaches > 0) AS unlawful
FROM core_inspection AS i
LEFT JOIN (SELECT subject, count() AS breaches FROM alerts_now WHERE rule IN ('work_without_permit', 'work_permit_expired', 'work_other_employer') AND state NOT IN ('retracted', 'expired') GROUP BY subject) AS b ON b.subject = i.subject
GROUP BY year, oblast
COMMENT 'Visits of inspectors, people checked and people found working, by year and oblast, and of those how many have a work breach that was not retracted. Unit: persons.';

CREATE OR REPLACE VIEW mart_trafficking_indicators /*cluster*/
(
    `rule` LowCardinality(String) COMMENT 'Rule that speaks, see docs/rules.md.',
    `oblast` LowCardinality(String) COMMENT 'ISO 3166-2:KZ; empty if not known.',
    `state` LowCardinality(String) COMMENT 'State of the latest version.',
    `alerts` UInt64 COMMENT 'Alerts.',
    `persons` UInt64 COMMENT 'Different pseudonyms; do not add over rows.'
)
AS
SELECT rule, oblast, state, count() AS alerts, uniqExact(subject) AS persons
FROM alerts_now WHERE family = 'protective'
GROUP BY rule, oblast, state
COMMENT 'Protective alerts by rule, oblast and state: people who may need help, never a road to removal. Unit: alerts.';
