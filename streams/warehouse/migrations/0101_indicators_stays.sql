-- Indicators: stays, the stock of foreigners and overstays. Each is described in docs/indicators.

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
FROM (SELECT * FROM core_stays WHERE ended = 'open' AND citizenship != 'KAZ') AS s
LEFT JOIN
(
    SELECT subject, stay_on, max(multiIf(grade = 'established', 3, grade = 'presumed', 2, 1)) AS best
    FROM alerts_now
    WHERE startsWith(rule, 'overstay_') AND state IN ('raised', 'amended', 'acknowledged')
    GROUP BY subject, stay_on
) AS a ON a.subject = s.subject AND a.stay_on = s.entered_on
COMMENT 'Foreigners whose last crossing is an entry, and how sure their presence is.';

CREATE OR REPLACE VIEW mart_foreigners_present /*cluster*/
(
    `oblast` LowCardinality(String) COMMENT 'ISO 3166-2:KZ; empty if not known.',
    `lawful` UInt64 COMMENT 'Present by the records, no open overstay alert.',
    `established` UInt64 COMMENT 'Open overstay alert of grade established: seen after the last lawful day.',
    `presumed` UInt64 COMMENT 'Open overstay alert of grade presumed: no exit seen, records complete.',
    `uncertain` UInt64 COMMENT 'Open overstay alert of grade uncertain: no exit seen, records incomplete.',
    `low` UInt64 COMMENT 'lawful + established, persons.',
    `middle` UInt64 COMMENT 'low + presumed, persons.',
    `high` UInt64 COMMENT 'middle + uncertain, persons.'
)
AS
SELECT oblast, countIf(standing = 'lawful') AS lawful, countIf(standing = 'established') AS established,
       countIf(standing = 'presumed') AS presumed, countIf(standing = 'uncertain') AS uncertain,
       lawful + established AS low, low + presumed AS middle, middle + uncertain AS high
FROM core_presence
GROUP BY oblast
COMMENT 'Foreigners whose last crossing is an entry, by oblast of the post of entry, from the lower bound (lawful, or seen after the last lawful day) to the upper (everybody of whom no exit was seen). Unit: persons.';

CREATE OR REPLACE VIEW mart_foreigners_present_by_purpose /*cluster*/
(
    `purpose` LowCardinality(String) COMMENT 'Purpose stated at the border.',
    `lawful` UInt64 COMMENT 'Present by the records, no open overstay alert.',
    `established` UInt64 COMMENT 'Open overstay alert of grade established: seen after the last lawful day.',
    `presumed` UInt64 COMMENT 'Open overstay alert of grade presumed: no exit seen, records complete.',
    `uncertain` UInt64 COMMENT 'Open overstay alert of grade uncertain: no exit seen, records incomplete.',
    `low` UInt64 COMMENT 'lawful + established, persons.',
    `middle` UInt64 COMMENT 'low + presumed, persons.',
    `high` UInt64 COMMENT 'middle + uncertain, persons.'
)
AS
SELECT purpose, countIf(standing = 'lawful') AS lawful, countIf(standing = 'established') AS established,
       countIf(standing = 'presumed') AS presumed, countIf(standing = 'uncertain') AS uncertain,
       lawful + established AS low, low + presumed AS middle, middle + uncertain AS high
FROM core_presence
GROUP BY purpose
COMMENT 'The same stock with its interval, by purpose stated at entry. Unit: persons.';

CREATE OR REPLACE VIEW mart_foreigners_present_by_country /*cluster*/
(
    `citizenship` LowCardinality(String) COMMENT 'Citizenship of the document shown, ISO 3166-1 alpha-3 or an ICAO 9303 special code.',
    `lawful` UInt64 COMMENT 'Present by the records, no open overstay alert.',
    `established` UInt64 COMMENT 'Open overstay alert of grade established: seen after the last lawful day.',
    `presumed` UInt64 COMMENT 'Open overstay alert of grade presumed: no exit seen, records complete.',
    `uncertain` UInt64 COMMENT 'Open overstay alert of grade uncertain: no exit seen, records incomplete.',
    `low` UInt64 COMMENT 'lawful + established, persons.',
    `middle` UInt64 COMMENT 'low + presumed, persons.',
    `high` UInt64 COMMENT 'middle + uncertain, persons.'
)
AS
SELECT citizenship, countIf(standing = 'lawful') AS lawful, countIf(standing = 'established') AS established,
       countIf(standing = 'presumed') AS presumed, countIf(standing = 'uncertain') AS uncertain,
       lawful + established AS low, low + presumed AS middle, middle + uncertain AS high
FROM core_presence
GROUP BY citizenship
COMMENT 'The same stock with its interval, by citizenship of the document shown at entry. Unit: persons.';

CREATE OR REPLACE VIEW mart_stay_lengths /*cluster*/
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
COMMENT 'Days of presence of foreigners\' stays that ended with an exit, by year of the exit and purpose: the day of entry and the day of exit both count. Unit: days.';

CREATE OR REPLACE VIEW mart_arrivals_notified /*cluster*/
(
    `year` UInt16 COMMENT 'Calendar year.',
    `oblast` LowCardinality(String) COMMENT 'Oblast of the post of entry, ISO 3166-2:KZ.',
    `due` UInt64 COMMENT 'Stays with a notice, or with a breach.',
    `in_time` UInt64 COMMENT 'Of them notified in time.',
    `late` UInt64 COMMENT 'Of them notified, but late.',
    `never` UInt64 COMMENT 'Of them without any notice.',
    `ratio` Float64 COMMENT 'in_time / due.'
)
AS
WITH
    noticed AS
    (
        SELECT s.entry_id AS entry_id, count() AS notices
        FROM core_stay_registration AS r ASOF INNER JOIN core_stays AS s ON s.subject = r.subject AND r.occurred_at >= s.entered_at
        WHERE r.kind IN ('arrival', 'extension') AND (s.next_at IS NULL OR r.occurred_at <= s.next_at)
        GROUP BY entry_id
    ),
    breached AS
    (
        SELECT subject, stay_on, count() AS breaches FROM alerts_now
        WHERE rule = 'arrival_not_notified' AND state NOT IN ('retracted', 'expired')
        GROUP BY subject, stay_on
    )
SELECT toYear(s.entered_on) AS year, s.oblast AS oblast, count() AS due, countIf(b.breaches = 0) AS in_time,
       countIf(b.breaches > 0 AND n.notices > 0) AS late, countIf(b.breaches > 0 AND n.notices = 0) AS never, in_time / due AS ratio
FROM core_stays AS s
LEFT JOIN noticed AS n ON n.entry_id = s.entry_id
LEFT JOIN breached AS b ON b.subject = s.subject AND b.stay_on = s.entered_on
WHERE s.citizenship != 'KAZ' AND (n.notices > 0 OR b.breaches > 0)
GROUP BY year, oblast
COMMENT 'Stays of foreigners of which notice was given in time, of all stays that needed one: those with a notice and those with a breach of the duty. Unit: stays.';

CREATE OR REPLACE VIEW mart_stay_extensions /*cluster*/
(
    `year` UInt16 COMMENT 'Calendar year.',
    `oblast` LowCardinality(String) COMMENT 'ISO 3166-2:KZ; empty if not known.',
    `extensions` UInt64 COMMENT 'Extensions.',
    `persons` UInt64 COMMENT 'Different pseudonyms; do not add over rows.'
)
AS
SELECT toYear(occurred_on) AS year, oblast, count() AS extensions, uniqExact(subject) AS persons
FROM core_stay_registration
WHERE kind = 'extension'
GROUP BY year, oblast
COMMENT 'Extensions of stay granted, by year and oblast. Unit: extensions.';

CREATE OR REPLACE VIEW mart_visas /*cluster*/
(
    `year` UInt16 COMMENT 'Calendar year.',
    `category` LowCardinality(String) COMMENT 'Visa category.',
    `issued` UInt64 COMMENT 'Issued.',
    `extended` UInt64 COMMENT 'Extensions.',
    `annulled` UInt64 COMMENT 'Annulled.'
)
AS
SELECT toYear(occurred_on) AS year, category, countIf(kind = 'issued') AS issued, countIf(kind = 'extended') AS extended, countIf(kind = 'annulled') AS annulled
FROM core_visa
GROUP BY year, category
COMMENT 'Visas by year and category. Unit: visas.';

CREATE OR REPLACE VIEW core_residence_permits /*cluster*/
(
    `permit_id` UUID COMMENT 'The permit.',
    `subject` String COMMENT 'The holder\'s pseudonym.',
    `residence` LowCardinality(String) COMMENT 'temporary or permanent.',
    `purpose` LowCardinality(String) COMMENT 'Ground of a temporary permit.',
    `oblast` LowCardinality(String) COMMENT 'Oblast of residence, ISO 3166-2:KZ.',
    `valid_from_on` Date32 COMMENT 'First day.',
    `valid_until_on` Nullable(Date32) COMMENT 'Last day; NULL where unlimited.',
    `kind` LowCardinality(String) COMMENT 'Latest step: issued, extended or revoked.'
)
AS
SELECT permit_id, subject, residence, purpose, oblast, valid_from_on, valid_until_on, kind
FROM core_residence_permit
ORDER BY permit_id, occurred_at DESC, toString(event_id) DESC
LIMIT 1 BY permit_id
COMMENT 'Residence permits, each by its latest record.';

CREATE OR REPLACE VIEW mart_residence_permits /*cluster*/
(
    `oblast` LowCardinality(String) COMMENT 'ISO 3166-2:KZ; empty if not known.',
    `residence` LowCardinality(String) COMMENT 'temporary or permanent.',
    `purpose` LowCardinality(String) COMMENT 'Ground of a temporary permit.',
    `permits` UInt64 COMMENT 'Permits in force.',
    `persons` UInt64 COMMENT 'Different pseudonyms; do not add over rows.'
)
AS
SELECT oblast, residence, purpose, count() AS permits, uniqExact(subject) AS persons
FROM core_residence_permits
WHERE kind != 'revoked' AND valid_from_on <= (SELECT today FROM core_clock) AND (valid_until_on IS NULL OR valid_until_on >= (SELECT today FROM core_clock))
GROUP BY oblast, residence, purpose
COMMENT 'Residence permits in force on the log\'s day, by oblast, kind of residence and ground. Unit: permits.';

CREATE OR REPLACE VIEW mart_overstays_by_grade /*cluster*/
(
    `rule` LowCardinality(String) COMMENT 'Rule that speaks, see docs/rules.md.',
    `grade` LowCardinality(String) COMMENT 'Evidence grade: established, presumed (no exit seen) or uncertain.',
    `alerts` UInt64 COMMENT 'Alerts.',
    `persons` UInt64 COMMENT 'Different pseudonyms; do not add over rows.'
)
AS
SELECT rule, grade, count() AS alerts, uniqExact(subject) AS persons
FROM alerts_now WHERE startsWith(rule, 'overstay_') AND state IN ('raised', 'amended', 'acknowledged')
GROUP BY rule, grade
COMMENT 'Overstay alerts that hold now, by rule and grade. Unit: alerts.';

CREATE OR REPLACE VIEW mart_overstays_by_age /*cluster*/
(
    `band` UInt8 COMMENT 'Order of the age, from 1.',
    `age` LowCardinality(String) COMMENT 'Days from the first day of the breach to the log\'s day, both included.',
    `grade` LowCardinality(String) COMMENT 'Evidence grade: established, presumed (no exit seen) or uncertain.',
    `alerts` UInt64 COMMENT 'Alerts.',
    `persons` UInt64 COMMENT 'Different pseudonyms; do not add over rows.'
)
AS
SELECT multiIf(days_open <= 7, 1, days_open <= 30, 2, days_open <= 90, 3, days_open <= 365, 4, 5) AS band,
       arrayElement(['1-7', '8-30', '31-90', '91-365', '366 and more'], band) AS age, grade, count() AS alerts, uniqExact(subject) AS persons
FROM
(
    SELECT subject, grade, dateDiff('day', first_day_on, (SELECT today FROM core_clock)) + 1 AS days_open
    FROM alerts_now WHERE startsWith(rule, 'overstay_') AND state IN ('raised', 'amended', 'acknowledged')
)
GROUP BY band, age, grade
COMMENT 'Overstay alerts that hold now by days since the first day beyond the last lawful day, and grade. Unit: alerts.';

CREATE OR REPLACE VIEW mart_overstays_by_group /*cluster*/
(
    `group` LowCardinality(String) COMMENT 'Citizenship group of the policy; never the citizenship itself.',
    `grade` LowCardinality(String) COMMENT 'Evidence grade: established, presumed (no exit seen) or uncertain.',
    `alerts` UInt64 COMMENT 'Alerts.',
    `persons` UInt64 COMMENT 'Different pseudonyms; do not add over rows.'
)
AS
SELECT `group`, grade, count() AS alerts, uniqExact(subject) AS persons
FROM alerts_now WHERE startsWith(rule, 'overstay_') AND state IN ('raised', 'amended', 'acknowledged')
GROUP BY `group`, grade
COMMENT 'Overstay alerts that hold now, by the policy\'s citizenship group and grade. Unit: alerts.';

CREATE OR REPLACE VIEW mart_overstays_by_oblast /*cluster*/
(
    `oblast` LowCardinality(String) COMMENT 'ISO 3166-2:KZ; empty if not known.',
    `grade` LowCardinality(String) COMMENT 'Evidence grade: established, presumed (no exit seen) or uncertain.',
    `alerts` UInt64 COMMENT 'Alerts.',
    `persons` UInt64 COMMENT 'Different pseudonyms; do not add over rows.'
)
AS
SELECT oblast, grade, count() AS alerts, uniqExact(subject) AS persons
FROM alerts_now WHERE startsWith(rule, 'overstay_') AND state IN ('raised', 'amended', 'acknowledged')
GROUP BY oblast, grade
COMMENT 'Overstay alerts that hold now, by oblast and grade. Unit: alerts.';

CREATE OR REPLACE VIEW mart_overstay_rate /*cluster*/
(
    `year` UInt16 COMMENT 'Calendar year.',
    `stays` UInt64 COMMENT 'Stays of foreigners begun.',
    `established` UInt64 COMMENT 'Of them with an overstay of grade established, open or ended.',
    `suspected` UInt64 COMMENT 'Of them with an overstay of grade presumed or uncertain only.',
    `established_ratio` Float64 COMMENT 'established / stays.',
    `high_ratio` Float64 COMMENT '(established + suspected) / stays.'
)
AS
SELECT toYear(s.entered_on) AS year, count() AS stays, countIf(a.best = 2) AS established, countIf(a.best = 1) AS suspected,
       established / stays AS established_ratio, (established + suspected) / stays AS high_ratio
FROM core_stays AS s
LEFT JOIN
(
    SELECT subject, stay_on, max(if(grade = 'established', 2, 1)) AS best
    FROM alerts_now
    WHERE startsWith(rule, 'overstay_') AND state NOT IN ('retracted', 'expired')
    GROUP BY subject, stay_on
) AS a ON a.subject = s.subject AND a.stay_on = s.entered_on
WHERE s.citizenship != 'KAZ'
GROUP BY year
COMMENT 'Stays of foreigners with an overstay, of all stays begun in the year: established ones, and with those of whom no exit was seen. Unit: ratio.';

CREATE OR REPLACE VIEW mart_overstays_ended /*cluster*/
(
    `rule` LowCardinality(String) COMMENT 'Rule that speaks, see docs/rules.md.',
    `reason` LowCardinality(String) COMMENT 'What ended it, e.g. exit_seen or extension.',
    `alerts` UInt64 COMMENT 'Alerts.',
    `median_days` Float64 COMMENT 'Median days of breach.',
    `longest_days` Int64 COMMENT 'Longest, days.'
)
AS
SELECT rule, reason, count() AS alerts, quantileExactInclusive(0.5)(days) AS median_days, max(days) AS longest_days
FROM alerts_now WHERE startsWith(rule, 'overstay_') AND state = 'resolved'
GROUP BY rule, reason
COMMENT 'Overstay alerts resolved, by rule and what ended them, with their length. Unit: alerts.';

CREATE OR REPLACE VIEW mart_entries_during_ban /*cluster*/
(
    `year` UInt16 COMMENT 'Calendar year.',
    `oblast` LowCardinality(String) COMMENT 'ISO 3166-2:KZ; empty if not known.',
    `alerts` UInt64 COMMENT 'Alerts.',
    `persons` UInt64 COMMENT 'Different pseudonyms; do not add over rows.'
)
AS
SELECT toYear(first_day_on) AS year, oblast, count() AS alerts, uniqExact(subject) AS persons
FROM alerts_now WHERE rule = 'entry_during_ban' AND state NOT IN ('retracted', 'expired')
GROUP BY year, oblast
COMMENT 'Entries while an entry ban was in force, by year of the entry and oblast. Unit: alerts.';

CREATE OR REPLACE VIEW mart_reminders /*cluster*/
(
    `rule` LowCardinality(String) COMMENT 'Rule that speaks, see docs/rules.md.',
    `family` LowCardinality(String) COMMENT 'reminder or data_quality.',
    `state` LowCardinality(String) COMMENT 'State of the latest version.',
    `findings` UInt64 COMMENT 'Findings.',
    `persons` UInt64 COMMENT 'Different pseudonyms; do not add over rows.'
)
AS
SELECT rule, family, state, count() AS findings, uniqExact(subject) AS persons
FROM findings_now
GROUP BY rule, family, state
COMMENT 'Reminders and data-quality findings by rule and state: people told before, not after. Unit: findings.';
