-- Marts of people: linked pseudonyms count once. And marts over notices, lateness and completeness that no longer scan (ADR 0137, 0138).

CREATE OR REPLACE VIEW recomputed_core_same_person /*cluster*/
(
    `subject` String COMMENT 'A pseudonym that a link in force names.',
    `person` String COMMENT 'The pseudonym that answers for all of the person''s: the first in the order of texts. Alerts and cases are under it.'
)
AS
WITH RECURSIVE
    pairs AS
    (
        SELECT argMax(subject, (occurred_at, toString(event_id))) AS one, argMax(other_subject, (occurred_at, toString(event_id))) AS other
        FROM core_identity_link
        GROUP BY link_id
        HAVING argMax(kind, (occurred_at, toString(event_id))) = 'linked'
    ),
    edges AS
    (
        SELECT DISTINCT tupleElement(e, 1) AS one, tupleElement(e, 2) AS other FROM pairs ARRAY JOIN [(pairs.one, pairs.other), (pairs.other, pairs.one), (pairs.one, pairs.one), (pairs.other, pairs.other)] AS e
    ),
    -- Nobody has a chain of more than eight passports between two of them; who has is split here, never in the stream.
    reached AS
    (
        SELECT one AS subject, other AS person, 1 AS steps FROM edges
        UNION ALL
        SELECT DISTINCT r.subject AS subject, e.other AS person, r.steps + 1 AS steps
        FROM reached AS r INNER JOIN edges AS e ON e.one = r.person
        WHERE r.steps < 8
    )
SELECT subject, min(person) AS person FROM reached GROUP BY subject
COMMENT 'What core_same_person must say, computed from every link: slow. Pseudonyms that are one person by the links in force; who is in no link is not here. Source: docs/rules.md, One person, several pseudonyms.';

CREATE OR REPLACE VIEW core_same_person /*cluster*/
(
    `subject` String COMMENT 'A pseudonym that a link in force names.',
    `person` String COMMENT 'The pseudonym that answers for all of the person''s: the first in the order of texts. Alerts and cases are under it.'
)
AS
SELECT subject, person FROM counts AS c WHERE kind = 'same' GROUP BY subject, person HAVING sum(c.persons) > 0
COMMENT 'Pseudonyms that are one person by the links in force; who is in no link is not here. Source: docs/rules.md, One person, several pseudonyms.';

CREATE OR REPLACE VIEW core_crossings_of_people /*cluster*/
(
    `event_id` UUID COMMENT 'Identity of the fact.',
    `subject` String COMMENT 'The person\'s pseudonym: of linked ones the first in the order of texts, which answers for them.',
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened: UTC.',
    `recorded_at` DateTime64(3, 'UTC') COMMENT 'When the source wrote it down: UTC.',
    `occurred_on` Date32 COMMENT 'Local calendar day of occurred_at in the zone of the post.',
    `direction` LowCardinality(String) COMMENT 'entry, exit or refusal.',
    `post` LowCardinality(String) COMMENT 'Border post.',
    `oblast` LowCardinality(String) COMMENT 'Oblast the post lay in on that day, ISO 3166-2:KZ; empty if the post is not known.',
    `citizenship` LowCardinality(String) COMMENT 'Citizenship of the document shown, ISO 3166-1 alpha-3 or an ICAO 9303 special code.',
    `purpose` LowCardinality(String) COMMENT 'Purpose stated at the border.',
    `refusal_reason` LowCardinality(Nullable(String)) COMMENT 'Why entry was refused; NULL otherwise.',
    `received_at` DateTime64(3, 'UTC') COMMENT 'When the broker received the record: UTC.'
)
AS
SELECT c.event_id AS event_id, if(p.person = '', c.subject, p.person) AS subject, c.occurred_at AS occurred_at, c.recorded_at AS recorded_at, c.occurred_on AS occurred_on, c.direction AS direction, c.post AS post, c.oblast AS oblast, c.citizenship AS citizenship, c.purpose AS purpose, c.refusal_reason AS refusal_reason, c.received_at AS received_at
FROM core_border_crossing AS c LEFT JOIN core_same_person AS p ON p.subject = c.subject
COMMENT 'Crossings that count, by person instead of pseudonym.';

CREATE OR REPLACE VIEW core_alerts_of_people /*cluster*/
(
    `alert_id` UUID COMMENT '16 bytes of SHA-256 over (rule, subject, stay, deadline): facts only, so the same facts give the same id on any machine.',
    `subject` String COMMENT 'The person\'s pseudonym: of linked ones the first in the order of texts, which answers for them (or the employer\'s).',
    `rule` LowCardinality(String) COMMENT 'Name of the rule, e.g. overstay_visa_exempt (policy: rules).',
    `family` LowCardinality(String) COMMENT 'breach: a rule is, or is presumed to be, broken; protective: someone may need protection; reminder: a deadline is coming; data_quality: records contradict each other.',
    `state` LowCardinality(String) COMMENT 'raised; amended: its content changed; acknowledged: an officer has seen it; resolved: it was so and has ended; retracted: it was never so; expired: too old to act on.',
    `grade` LowCardinality(String) COMMENT 'How well it is known. established: the records are complete; presumed: rebuttable, silence of complete records; uncertain: records are missing.',
    `stay_on` Date32 COMMENT 'First day of the stay it belongs to: days since 1970-01-01; the key of the case.',
    `first_day_on` Date32 COMMENT 'First day of the breach (for a reminder: the day that is coming): days since 1970-01-01.',
    `last_day_on` Nullable(Date32) COMMENT 'Last day of the breach: days since 1970-01-01. null while it lasts.',
    `days` Int32 COMMENT 'Days of breach so far; 0 for a reminder.',
    `group` LowCardinality(String) COMMENT 'Citizenship group of the policy, e.g. visa_exempt; never the citizenship itself.',
    `oblast` LowCardinality(String) COMMENT 'Where it belongs: ISO 3166-2:KZ code; empty if not known.',
    `post` LowCardinality(String) COMMENT 'Code of the border post of the entry; empty if not known.',
    `employer` String COMMENT 'Employer\'s pseudonym where work is concerned; empty otherwise.',
    `sector` LowCardinality(String) COMMENT 'Section letter of the economic activity where work is concerned; empty otherwise.',
    `reason` LowCardinality(String) COMMENT 'Why this version: e.g. raised, exit_seen, extension, correction, coverage, dispute.',
    `decided_at` DateTime64(3, 'UTC') COMMENT 'The log\'s clock when it was decided: UTC, milliseconds since 1970-01-01.',
    `received_at` DateTime64(3, 'UTC') COMMENT 'When the broker received this version (its timestamp): UTC.'
)
AS
SELECT a.alert_id AS alert_id, if(p.person = '', a.subject, p.person) AS subject, a.`rule` AS `rule`, a.`family` AS `family`, a.`state` AS `state`, a.`grade` AS `grade`, a.`stay_on` AS `stay_on`, a.`first_day_on` AS `first_day_on`, a.`last_day_on` AS `last_day_on`, a.`days` AS `days`, a.`group` AS `group`, a.`oblast` AS `oblast`, a.`post` AS `post`, a.`employer` AS `employer`, a.`sector` AS `sector`, a.`reason` AS `reason`, a.`decided_at` AS `decided_at`, a.`received_at` AS `received_at`
FROM alerts_now AS a LEFT JOIN core_same_person AS p ON p.subject = a.subject
COMMENT 'What holds now of every alert, by person instead of pseudonym. Valid: first_day_on to last_day_on; known since decided_at.';

CREATE OR REPLACE VIEW core_stays /*cluster*/
(
    `subject` String COMMENT 'The person\'s pseudonym: of linked ones the first in the order of texts, which answers for them.',
    `entry_id` UUID COMMENT 'event_id of the entry.',
    `entered_at` DateTime64(3, 'UTC') COMMENT 'Instant of the entry: UTC.',
    `entered_on` Date32 COMMENT 'Local day of the entry: the stay\'s key.',
    `post` LowCardinality(String) COMMENT 'Post of entry.',
    `oblast` LowCardinality(String) COMMENT 'Oblast of the post of entry, ISO 3166-2:KZ; empty if not known.',
    `citizenship` LowCardinality(String) COMMENT 'Citizenship of the document shown, ISO 3166-1 alpha-3 or an ICAO 9303 special code.',
    `purpose` LowCardinality(String) COMMENT 'Purpose stated at the border.',
    `ended` LowCardinality(String) COMMENT 'exit: an exit was seen; unseen: another entry followed, the exit was not seen; open: nothing followed.',
    `next_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'Instant of the exit or of the next entry: UTC; NULL while open.',
    `left_on` Nullable(Date32) COMMENT 'Local day of the exit; NULL where none was seen.',
    `received_at` DateTime64(3, 'UTC') COMMENT 'When the latest record it rests on arrived: UTC. The stay is valid from entered_at to next_at.'
)
AS
SELECT subject, entry_id, entered_at, entered_on, post, oblast, citizenship, purpose,
       multiIf(next_direction = 'exit', 'exit', next_direction = 'entry', 'unseen', 'open') AS ended,
       if(ended = 'open', NULL, following_at) AS next_at,
       if(ended = 'exit', greatest(following_on, entered_on), NULL) AS left_on,
       greatest(entry_received_at, following_received_at) AS received_at
FROM
(
    SELECT subject, event_id AS entry_id, occurred_at AS entered_at, occurred_on AS entered_on, post, oblast, citizenship, purpose, direction, received_at AS entry_received_at,
           leadInFrame(toString(direction)) OVER following AS next_direction,
           leadInFrame(occurred_at) OVER following AS following_at,
           leadInFrame(occurred_on) OVER following AS following_on,
           leadInFrame(received_at) OVER following AS following_received_at
    FROM core_crossings_of_people
    WHERE direction IN ('entry', 'exit')
    WINDOW following AS (PARTITION BY subject ORDER BY occurred_at, toString(event_id) ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
)
WHERE direction = 'entry'
COMMENT 'Stays: an entry and what followed it. Source: docs/rules.md, Stays. Linked pseudonyms are one person.';

CREATE OR REPLACE VIEW recomputed_mart_daily_flows /*cluster*/
(
    `day` Date32 COMMENT 'Local day of the crossing in the zone of the post.',
    `post` LowCardinality(String) COMMENT 'Border post (policy: posts).',
    `oblast` LowCardinality(String) COMMENT 'Oblast the post lay in on that day, ISO 3166-2:KZ; empty if the post is not known.',
    `citizenship` LowCardinality(String) COMMENT 'Citizenship of the document shown, ISO 3166-1 alpha-3 or an ICAO 9303 special code.',
    `direction` LowCardinality(String) COMMENT 'entry, exit or refusal.',
    `crossings` UInt64 COMMENT 'Crossings: one person crossing twice counts twice.',
    `persons` UInt64 COMMENT 'Different people among them; do not add over rows.'
)
AS
SELECT occurred_on AS day, post, oblast, citizenship, direction, count() AS crossings, uniqExact(subject) AS persons
FROM core_crossings_of_people
GROUP BY day, post, oblast, citizenship, direction
COMMENT 'What mart_daily_flows must say, computed from every fact: slow. Daily flows across the border. Corrected and repeated crossings do not count. Not for publication: cells may be small.';

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
    FROM core_crossings_of_people
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

CREATE OR REPLACE VIEW recomputed_mart_entries_by_purpose /*cluster*/
(
    `year` UInt16 COMMENT 'Calendar year.',
    `purpose` LowCardinality(String) COMMENT 'Purpose stated at the border.',
    `entries` UInt64 COMMENT 'Entries of foreigners.',
    `persons` UInt64 COMMENT 'Different people; do not add over rows.',
    `share` Float64 COMMENT 'entries / all entries of foreigners in the year.'
)
AS
SELECT toYear(occurred_on) AS year, purpose, count() AS entries, uniqExact(subject) AS persons, entries / sum(entries) OVER (PARTITION BY year) AS share
FROM core_crossings_of_people
WHERE direction = 'entry' AND citizenship != 'KAZ'
GROUP BY year, purpose
COMMENT 'What mart_entries_by_purpose must say, computed from every fact: slow. Entries of foreigners by year and stated purpose, and how many people they were. Unit: entries.';

CREATE OR REPLACE VIEW recomputed_mart_eu_refused_entry /*cluster*/
(
    `year` UInt16 COMMENT 'Calendar year.',
    `citizenship` LowCardinality(String) COMMENT 'Citizenship of the document shown, ISO 3166-1 alpha-3 or an ICAO 9303 special code.',
    `reason` LowCardinality(String) COMMENT 'Why entry was refused.',
    `persons` UInt64 COMMENT 'Different people; do not add over rows.',
    `refusals` UInt64 COMMENT 'Refusals.'
)
AS
SELECT toYear(occurred_on) AS year, citizenship, ifNull(refusal_reason, '') AS reason, uniqExact(subject) AS persons, count() AS refusals
FROM core_crossings_of_people
WHERE direction = 'refusal' AND citizenship != 'KAZ'
GROUP BY year, citizenship, reason
COMMENT 'What mart_eu_refused_entry must say, computed from every fact: slow. Foreigners refused entry at the border, by year, citizenship and reason. For comparison with the EU\'s statistics (Regulation (EC) No 862/2007, Articles 5 and 7). Unit: persons.';

CREATE OR REPLACE VIEW mart_daily_flows /*cluster*/
(
    `day` Date32 COMMENT 'Local day of the crossing in the zone of the post.',
    `post` LowCardinality(String) COMMENT 'Border post (policy: posts).',
    `oblast` LowCardinality(String) COMMENT 'Oblast the post lay in on that day, ISO 3166-2:KZ; empty if the post is not known.',
    `citizenship` LowCardinality(String) COMMENT 'Citizenship of the document shown, ISO 3166-1 alpha-3 or an ICAO 9303 special code.',
    `direction` LowCardinality(String) COMMENT 'entry, exit or refusal.',
    `crossings` UInt64 COMMENT 'Crossings: one person crossing twice counts twice.',
    `persons` UInt64 COMMENT 'Different people among them; do not add over rows.'
)
AS
SELECT day, post, oblast, citizenship, direction, toUInt64(sum(c.crossings)) AS crossings, toUInt64(sum(c.persons)) AS persons
FROM counts AS c
WHERE kind = 'flow'
GROUP BY day, post, oblast, citizenship, direction
HAVING crossings > 0
COMMENT 'Daily flows across the border. Corrected and repeated crossings do not count. Not for publication: cells may be small.';

CREATE OR REPLACE VIEW mart_entries_by_purpose /*cluster*/
(
    `year` UInt16 COMMENT 'Calendar year.',
    `purpose` LowCardinality(String) COMMENT 'Purpose stated at the border.',
    `entries` UInt64 COMMENT 'Entries of foreigners.',
    `persons` UInt64 COMMENT 'Different people; do not add over rows.',
    `share` Float64 COMMENT 'entries / all entries of foreigners in the year.'
)
AS
SELECT toYear(day) AS year, purpose, toUInt64(sum(c.crossings)) AS entries, toUInt64(sum(c.persons)) AS persons, entries / sum(entries) OVER (PARTITION BY year) AS share
FROM counts AS c
WHERE kind = 'year'
GROUP BY year, purpose
HAVING entries > 0
COMMENT 'Entries of foreigners by year and stated purpose, and how many people they were. Unit: entries.';

CREATE OR REPLACE VIEW mart_eu_refused_entry /*cluster*/
(
    `year` UInt16 COMMENT 'Calendar year.',
    `citizenship` LowCardinality(String) COMMENT 'Citizenship of the document shown, ISO 3166-1 alpha-3 or an ICAO 9303 special code.',
    `reason` LowCardinality(String) COMMENT 'Why entry was refused.',
    `persons` UInt64 COMMENT 'Different people; do not add over rows.',
    `refusals` UInt64 COMMENT 'Refusals.'
)
AS
SELECT toYear(day) AS year, citizenship, reason, toUInt64(sum(c.persons)) AS persons, toUInt64(sum(c.crossings)) AS refusals
FROM counts AS c
WHERE kind = 'refusal'
GROUP BY year, citizenship, reason
HAVING refusals > 0
COMMENT 'Foreigners refused entry at the border, by year, citizenship and reason. For comparison with the EU\'s statistics (Regulation (EC) No 862/2007, Articles 5 and 7). Unit: persons.';

CREATE OR REPLACE VIEW recomputed_core_presence /*cluster*/
(
    `subject` String COMMENT 'The person\'s pseudonym: of linked ones the first in the order of texts, which answers for them.',
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
    FROM core_alerts_of_people
    WHERE startsWith(rule, 'overstay_') AND state IN ('raised', 'amended', 'acknowledged')
    GROUP BY subject, stay_on
) AS a ON a.subject = s.subject AND a.stay_on = s.entered_on
COMMENT 'What core_presence must say, computed from every fact: slow. Foreigners whose last crossing is an entry, and how sure their presence is.';

CREATE OR REPLACE VIEW core_presence /*cluster*/
(
    `subject` String COMMENT 'The person\'s pseudonym: of linked ones the first in the order of texts, which answers for them.',
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
    FROM core_alerts_of_people
    WHERE startsWith(rule, 'overstay_') AND state IN ('raised', 'amended', 'acknowledged')
    GROUP BY subject, stay_on
) AS a ON a.subject = s.subject AND a.stay_on = s.entered_on
COMMENT 'Foreigners whose last crossing is an entry, and how sure their presence is.';

CREATE OR REPLACE VIEW mart_alerts /*cluster*/
(
    `rule` LowCardinality(String) COMMENT 'Rule that speaks, see docs/rules.md.',
    `family` LowCardinality(String) COMMENT 'breach or protective.',
    `oblast` LowCardinality(String) COMMENT 'Oblast it belongs to, ISO 3166-2:KZ; empty if not known.',
    `state` LowCardinality(String) COMMENT 'State of the latest version. raised, amended and acknowledged are open; resolved: it was so and has ended; retracted: it was never so.',
    `grade` LowCardinality(String) COMMENT 'How well it is known: established, presumed (no exit seen) or uncertain.',
    `alerts` UInt64 COMMENT 'Alerts.',
    `persons` UInt64 COMMENT 'Different people among them; do not add over rows.'
)
AS
SELECT rule, family, oblast, state, grade, count() AS alerts, uniqExact(subject) AS persons
FROM core_alerts_of_people
GROUP BY rule, family, oblast, state, grade
COMMENT 'Alerts by rule, oblast, state and evidence grade, by what holds now.';

CREATE OR REPLACE VIEW mart_unregistered_workers /*cluster*/
(
    `employer` String COMMENT 'Pseudonym of the employer; empty if not known.',
    `oblast` LowCardinality(String) COMMENT 'Oblast of the work, ISO 3166-2:KZ.',
    `sector` LowCardinality(String) COMMENT 'Section letter of the classification of economic activities; empty if not known.',
    `persons` UInt64 COMMENT 'Different people with an open alert: no permit, an expired one, or one for another employer.',
    `without_permit` UInt64 COMMENT 'Of them with no permit at all.',
    `permit_expired` UInt64 COMMENT 'Of them with an expired permit.',
    `other_employer` UInt64 COMMENT 'Of them with a permit that names another employer.',
    `established` UInt64 COMMENT 'Of them with an alert of grade established.',
    `first_on` Date32 COMMENT 'First day of the oldest of these breaches.'
)
AS
SELECT
    employer,
    oblast,
    sector,
    uniqExact(subject) AS persons,
    uniqExactIf(subject, rule = 'work_without_permit') AS without_permit,
    uniqExactIf(subject, rule = 'work_permit_expired') AS permit_expired,
    uniqExactIf(subject, rule = 'work_other_employer') AS other_employer,
    uniqExactIf(subject, grade = 'established') AS established,
    min(first_day_on) AS first_on
FROM core_alerts_of_people
WHERE rule IN ('work_without_permit', 'work_permit_expired', 'work_other_employer') AND state IN ('raised', 'amended', 'acknowledged')
GROUP BY employer, oblast, sector
COMMENT 'Unregistered workers by employer, oblast and sector: open alerts of the three work rules. One person may work for several employers.';

CREATE OR REPLACE VIEW mart_overstays_by_grade /*cluster*/
(
    `rule` LowCardinality(String) COMMENT 'Rule that speaks, see docs/rules.md.',
    `grade` LowCardinality(String) COMMENT 'Evidence grade: established, presumed (no exit seen) or uncertain.',
    `alerts` UInt64 COMMENT 'Alerts.',
    `persons` UInt64 COMMENT 'Different people; do not add over rows.'
)
AS
SELECT rule, grade, count() AS alerts, uniqExact(subject) AS persons
FROM core_alerts_of_people WHERE startsWith(rule, 'overstay_') AND state IN ('raised', 'amended', 'acknowledged')
GROUP BY rule, grade
COMMENT 'Overstay alerts that hold now, by rule and grade. Unit: alerts.';

CREATE OR REPLACE VIEW mart_overstays_by_age /*cluster*/
(
    `band` UInt8 COMMENT 'Order of the age, from 1.',
    `age` LowCardinality(String) COMMENT 'Days from the first day of the breach to the log\'s day, both included.',
    `grade` LowCardinality(String) COMMENT 'Evidence grade: established, presumed (no exit seen) or uncertain.',
    `alerts` UInt64 COMMENT 'Alerts.',
    `persons` UInt64 COMMENT 'Different people; do not add over rows.'
)
AS
SELECT multiIf(days_open <= 7, 1, days_open <= 30, 2, days_open <= 90, 3, days_open <= 365, 4, 5) AS band,
       arrayElement(['1-7', '8-30', '31-90', '91-365', '366 and more'], band) AS age, grade, count() AS alerts, uniqExact(subject) AS persons
FROM
(
    SELECT subject, grade, dateDiff('day', first_day_on, (SELECT today FROM core_clock)) + 1 AS days_open
    FROM core_alerts_of_people WHERE startsWith(rule, 'overstay_') AND state IN ('raised', 'amended', 'acknowledged')
)
GROUP BY band, age, grade
COMMENT 'Overstay alerts that hold now by days since the first day beyond the last lawful day, and grade. Unit: alerts.';

CREATE OR REPLACE VIEW mart_overstays_by_group /*cluster*/
(
    `group` LowCardinality(String) COMMENT 'Citizenship group of the policy; never the citizenship itself.',
    `grade` LowCardinality(String) COMMENT 'Evidence grade: established, presumed (no exit seen) or uncertain.',
    `alerts` UInt64 COMMENT 'Alerts.',
    `persons` UInt64 COMMENT 'Different people; do not add over rows.'
)
AS
SELECT `group`, grade, count() AS alerts, uniqExact(subject) AS persons
FROM core_alerts_of_people WHERE startsWith(rule, 'overstay_') AND state IN ('raised', 'amended', 'acknowledged')
GROUP BY `group`, grade
COMMENT 'Overstay alerts that hold now, by the policy\'s citizenship group and grade. Unit: alerts.';

CREATE OR REPLACE VIEW mart_overstays_by_oblast /*cluster*/
(
    `oblast` LowCardinality(String) COMMENT 'ISO 3166-2:KZ; empty if not known.',
    `grade` LowCardinality(String) COMMENT 'Evidence grade: established, presumed (no exit seen) or uncertain.',
    `alerts` UInt64 COMMENT 'Alerts.',
    `persons` UInt64 COMMENT 'Different people; do not add over rows.'
)
AS
SELECT oblast, grade, count() AS alerts, uniqExact(subject) AS persons
FROM core_alerts_of_people WHERE startsWith(rule, 'overstay_') AND state IN ('raised', 'amended', 'acknowledged')
GROUP BY oblast, grade
COMMENT 'Overstay alerts that hold now, by oblast and grade. Unit: alerts.';

CREATE OR REPLACE VIEW mart_entries_during_ban /*cluster*/
(
    `year` UInt16 COMMENT 'Calendar year.',
    `oblast` LowCardinality(String) COMMENT 'ISO 3166-2:KZ; empty if not known.',
    `alerts` UInt64 COMMENT 'Alerts.',
    `persons` UInt64 COMMENT 'Different people; do not add over rows.'
)
AS
SELECT toYear(first_day_on) AS year, oblast, count() AS alerts, uniqExact(subject) AS persons
FROM core_alerts_of_people WHERE rule = 'entry_during_ban' AND state NOT IN ('retracted', 'expired')
GROUP BY year, oblast
COMMENT 'Entries while an entry ban was in force, by year of the entry and oblast. Unit: alerts.';

CREATE OR REPLACE VIEW mart_unregistered_workers_by_sector /*cluster*/
(
    `sector` LowCardinality(String) COMMENT 'Section letter of the classification of economic activities; empty if not known.',
    `persons` UInt64 COMMENT 'Different people; do not add over rows.',
    `employers` UInt64 COMMENT 'Different employers named.',
    `without_permit` UInt64 COMMENT 'Persons with no permit at all.',
    `permit_expired` UInt64 COMMENT 'Persons with an expired permit.',
    `other_employer` UInt64 COMMENT 'Persons whose permit names another employer.'
)
AS
SELECT sector, uniqExact(subject) AS persons, uniqExactIf(employer, employer != '') AS employers,
       uniqExactIf(subject, rule = 'work_without_permit') AS without_permit, uniqExactIf(subject, rule = 'work_permit_expired') AS permit_expired,
       uniqExactIf(subject, rule = 'work_other_employer') AS other_employer
FROM core_alerts_of_people WHERE rule IN ('work_without_permit', 'work_permit_expired', 'work_other_employer') AND state IN ('raised', 'amended', 'acknowledged')
GROUP BY sector
COMMENT 'People with an open alert of working without a permit, with an expired one or for another employer, by sector. Unit: persons.';

CREATE OR REPLACE VIEW mart_unregistered_workers_by_oblast /*cluster*/
(
    `oblast` LowCardinality(String) COMMENT 'ISO 3166-2:KZ; empty if not known.',
    `persons` UInt64 COMMENT 'Different people; do not add over rows.',
    `employers` UInt64 COMMENT 'Different employers named.',
    `without_permit` UInt64 COMMENT 'Persons with no permit at all.',
    `permit_expired` UInt64 COMMENT 'Persons with an expired permit.',
    `other_employer` UInt64 COMMENT 'Persons whose permit names another employer.'
)
AS
SELECT oblast, uniqExact(subject) AS persons, uniqExactIf(employer, employer != '') AS employers,
       uniqExactIf(subject, rule = 'work_without_permit') AS without_permit, uniqExactIf(subject, rule = 'work_permit_expired') AS permit_expired,
       uniqExactIf(subject, rule = 'work_other_employer') AS other_employer
FROM core_alerts_of_people WHERE rule IN ('work_without_permit', 'work_permit_expired', 'work_other_employer') AND state IN ('raised', 'amended', 'acknowledged')
GROUP BY oblast
COMMENT 'People with an open alert of working without a permit, with an expired one or for another employer, by oblast. Unit: persons.';

CREATE OR REPLACE VIEW mart_work_breaches /*cluster*/
(
    `rule` LowCardinality(String) COMMENT 'Rule that speaks, see docs/rules.md.',
    `state` LowCardinality(String) COMMENT 'State of the latest version.',
    `grade` LowCardinality(String) COMMENT 'Evidence grade: established, presumed (no exit seen) or uncertain.',
    `alerts` UInt64 COMMENT 'Alerts.',
    `persons` UInt64 COMMENT 'Different people; do not add over rows.'
)
AS
SELECT rule, state, grade, count() AS alerts, uniqExact(subject) AS persons
FROM core_alerts_of_people WHERE startsWith(rule, 'work_') OR rule IN ('contract_not_concluded', 'household_permit_too_long')
GROUP BY rule, state, grade
COMMENT 'Alerts of all work rules by rule, state and grade. Unit: alerts.';

CREATE OR REPLACE VIEW mart_trafficking_indicators /*cluster*/
(
    `rule` LowCardinality(String) COMMENT 'Rule that speaks, see docs/rules.md.',
    `oblast` LowCardinality(String) COMMENT 'ISO 3166-2:KZ; empty if not known.',
    `state` LowCardinality(String) COMMENT 'State of the latest version.',
    `alerts` UInt64 COMMENT 'Alerts.',
    `persons` UInt64 COMMENT 'Different people; do not add over rows.'
)
AS
SELECT rule, oblast, state, count() AS alerts, uniqExact(subject) AS persons
FROM core_alerts_of_people WHERE family = 'protective'
GROUP BY rule, oblast, state
COMMENT 'Protective alerts by rule, oblast and state: people who may need help, never a road to removal. Unit: alerts.';

CREATE OR REPLACE VIEW mart_retractions_by_reason /*cluster*/
(
    `rule` LowCardinality(String) COMMENT 'Rule that speaks, see docs/rules.md.',
    `reason` LowCardinality(String) COMMENT 'Reason of the retraction.',
    `alerts` UInt64 COMMENT 'Alerts.',
    `persons` UInt64 COMMENT 'Different people; do not add over rows.'
)
AS
SELECT rule, reason, count() AS alerts, uniqExact(subject) AS persons
FROM core_alerts_of_people WHERE state = 'retracted'
GROUP BY rule, reason
COMMENT 'Alerts retracted, by rule and what showed it: a late exit, an extension, a correction, a dispute, coverage. Unit: alerts.';

CREATE OR REPLACE VIEW mart_eu_found_unlawfully_present /*cluster*/
(
    `year` UInt16 COMMENT 'Calendar year.',
    `citizenship` LowCardinality(String) COMMENT 'Citizenship of the document shown, ISO 3166-1 alpha-3 or an ICAO 9303 special code.',
    `persons` UInt64 COMMENT 'Different people; do not add over rows.'
)
AS
SELECT toYear(a.first_day_on) AS year, s.citizenship AS citizenship, uniqExact(a.subject) AS persons
FROM (SELECT subject, stay_on, first_day_on FROM core_alerts_of_people
      WHERE (startsWith(rule, 'overstay_') OR rule = 'entry_during_ban') AND grade = 'established' AND state NOT IN ('retracted', 'expired')) AS a
LEFT JOIN (SELECT subject, entered_on, max(citizenship) AS citizenship FROM core_stays GROUP BY subject, entered_on) AS s ON s.subject = a.subject AND s.entered_on = a.stay_on
GROUP BY year, citizenship
COMMENT 'Foreigners found unlawfully present: with an overstay or an entry during a ban of grade established, by year of its first day and citizenship. For comparison with the EU\'s statistics (Regulation (EC) No 862/2007, Articles 5 and 7). Unit: persons.';

CREATE OR REPLACE VIEW core_residence_permits /*cluster*/
(
    `permit_id` UUID COMMENT 'The permit.',
    `subject` String COMMENT 'The holder. The person\'s pseudonym: of linked ones the first in the order of texts, which answers for them.',
    `residence` LowCardinality(String) COMMENT 'temporary or permanent.',
    `purpose` LowCardinality(String) COMMENT 'Ground of a temporary permit.',
    `oblast` LowCardinality(String) COMMENT 'Oblast of residence, ISO 3166-2:KZ.',
    `valid_from_on` Date32 COMMENT 'First day.',
    `valid_until_on` Nullable(Date32) COMMENT 'Last day; NULL where unlimited.',
    `kind` LowCardinality(String) COMMENT 'Latest step: issued, extended or revoked.',
    `received_at` DateTime64(3, 'UTC') COMMENT 'When that record arrived: UTC.'
)
AS
SELECT r.permit_id AS permit_id, if(p.person = '', r.subject, p.person) AS subject, r.residence AS residence, r.purpose AS purpose, r.oblast AS oblast, r.valid_from_on AS valid_from_on, r.valid_until_on AS valid_until_on, r.kind AS kind, r.received_at AS received_at
FROM core_residence_permit AS r LEFT JOIN core_same_person AS p ON p.subject = r.subject
ORDER BY permit_id, r.occurred_at DESC, toString(r.event_id) DESC
LIMIT 1 BY permit_id
COMMENT 'Residence permits, each by its latest record. Valid from valid_from_on to valid_until_on; known since received_at.';

CREATE OR REPLACE VIEW core_work_permits /*cluster*/
(
    `permit_id` UUID COMMENT 'The permit.',
    `subject` String COMMENT 'The holder. The person\'s pseudonym: of linked ones the first in the order of texts, which answers for them.',
    `permit_type` LowCardinality(String) COMMENT 'employer, household, self_employment, intra_company or seasonal.',
    `category` LowCardinality(String) COMMENT 'Category of an employer permit; empty for the other types.',
    `employer` String COMMENT 'Pseudonym of the employer it names; empty where it names none.',
    `oblast` LowCardinality(String) COMMENT 'The oblast it is valid in, ISO 3166-2:KZ.',
    `sector` LowCardinality(String) COMMENT 'Section letter of the classification of economic activities; empty if not known.',
    `valid_from_on` Date32 COMMENT 'First day.',
    `valid_until_on` Date32 COMMENT 'Last day.',
    `kind` LowCardinality(String) COMMENT 'Latest step: issued, extended or revoked.',
    `received_at` DateTime64(3, 'UTC') COMMENT 'When that record arrived: UTC.'
)
AS
SELECT w.permit_id AS permit_id, if(p.person = '', w.subject, p.person) AS subject, w.permit_type AS permit_type, ifNull(w.category, '') AS category, ifNull(w.employer, '') AS employer, w.oblast AS oblast, w.sector AS sector, w.valid_from_on AS valid_from_on, w.valid_until_on AS valid_until_on, w.kind AS kind, w.received_at AS received_at
FROM core_work_permit AS w LEFT JOIN core_same_person AS p ON p.subject = w.subject
ORDER BY permit_id, w.occurred_at DESC, toString(w.event_id) DESC
LIMIT 1 BY permit_id
COMMENT 'Work permits, each by its latest record. Valid from valid_from_on to valid_until_on; known since received_at.';

CREATE OR REPLACE VIEW mart_residence_permits /*cluster*/
(
    `oblast` LowCardinality(String) COMMENT 'ISO 3166-2:KZ; empty if not known.',
    `residence` LowCardinality(String) COMMENT 'temporary or permanent.',
    `purpose` LowCardinality(String) COMMENT 'Ground of a temporary permit.',
    `permits` UInt64 COMMENT 'Permits in force.',
    `persons` UInt64 COMMENT 'Different people; do not add over rows.'
)
AS
SELECT oblast, residence, purpose, count() AS permits, uniqExact(subject) AS persons
FROM core_residence_permits
WHERE kind != 'revoked' AND valid_from_on <= (SELECT today FROM core_clock) AND (valid_until_on IS NULL OR valid_until_on >= (SELECT today FROM core_clock))
GROUP BY oblast, residence, purpose
COMMENT 'Residence permits in force on the log\'s day, by oblast, kind of residence and ground. Unit: permits.';

CREATE OR REPLACE VIEW mart_work_permits_in_force /*cluster*/
(
    `permit_type` LowCardinality(String) COMMENT 'employer, household, self_employment, intra_company or seasonal.',
    `oblast` LowCardinality(String) COMMENT 'ISO 3166-2:KZ; empty if not known.',
    `sector` LowCardinality(String) COMMENT 'Section letter of the classification of economic activities; empty if not known.',
    `permits` UInt64 COMMENT 'Permits in force.',
    `persons` UInt64 COMMENT 'Different people; do not add over rows.'
)
AS
SELECT permit_type, oblast, sector, count() AS permits, uniqExact(subject) AS persons
FROM core_work_permits
WHERE kind != 'revoked' AND (SELECT today FROM core_clock) BETWEEN valid_from_on AND valid_until_on
GROUP BY permit_type, oblast, sector
COMMENT 'Work permits in force on the log\'s day, by type, oblast and sector. Unit: permits.';

CREATE OR REPLACE VIEW core_asylum /*cluster*/
(
    `protection_id` UUID COMMENT 'The procedure.',
    `subject` String COMMENT 'The person\'s pseudonym: of linked ones the first in the order of texts, which answers for them.',
    `applied_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'First application: UTC; NULL if not in the log.',
    `decided_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'First decision: UTC; NULL while pending.',
    `decision` LowCardinality(String) COMMENT 'First decision: recognised or refused; empty while pending.',
    `outcome` LowCardinality(String) COMMENT 'Latest step: pending, recognised, refused, appealed, dismissed or ended.',
    `valid_until_on` Nullable(Date32) COMMENT 'Last day of the latest status; NULL where open-ended.',
    `received_at` DateTime64(3, 'UTC') COMMENT 'When its latest record arrived: UTC.'
)
AS
SELECT protection_id, argMax(if(s.person = '', p.subject, s.person), (occurred_at, toString(event_id))) AS subject,
       if(countIf(kind = 'asylum_applied') = 0, NULL, minIf(occurred_at, kind = 'asylum_applied')) AS applied_at,
       if(countIf(kind IN ('asylum_recognised', 'asylum_refused')) = 0, NULL, minIf(occurred_at, kind IN ('asylum_recognised', 'asylum_refused'))) AS decided_at,
       transform(argMinIf(kind, (occurred_at, toString(event_id)), kind IN ('asylum_recognised', 'asylum_refused')), ['asylum_recognised', 'asylum_refused'], ['recognised', 'refused'], '') AS decision,
       transform(argMax(kind, (occurred_at, toString(event_id))), ['asylum_applied', 'asylum_recognised', 'appeal_upheld', 'asylum_refused', 'appeal_filed', 'appeal_dismissed', 'status_ended'],
                 ['pending', 'recognised', 'recognised', 'refused', 'appealed', 'dismissed', 'ended'], '') AS outcome,
       tupleElement(argMax(tuple(p.valid_until_on), (occurred_at, toString(event_id))), 1) AS valid_until_on,
       max(p.received_at) AS received_at
FROM core_protection_status AS p LEFT JOIN core_same_person AS s ON s.subject = p.subject
GROUP BY protection_id
HAVING countIf(startsWith(kind, 'asylum_') OR startsWith(kind, 'appeal_')) > 0
COMMENT 'Asylum procedures, one a row. Valid from applied_at to valid_until_on; known since received_at.';

CREATE OR REPLACE VIEW core_cases_of_people /*cluster*/
(
    `case_id` UUID COMMENT '16 bytes of SHA-256 over (subject, stay): facts only.',
    `version` Int32 COMMENT '1, 2, …: grows by one with every change; the largest holds now.',
    `subject` String COMMENT 'The person\'s pseudonym: of linked ones the first in the order of texts, which answers for them.',
    `stay_on` Date32 COMMENT 'First day of the stay: days since 1970-01-01.',
    `stage` LowCardinality(String) COMMENT 'Where the follow-up stands. suspected: nobody has acted; contacted; legalised, left or cleared: ended well; referred: two officers referred it for removal; removed.',
    `open` Bool COMMENT 'Whether someone still has to act.',
    `path` LowCardinality(String) COMMENT 'The lawful path it is on, e.g. legalisation, voluntary_departure, protection.',
    `protected` Bool COMMENT 'The interlock holds: no removal may be offered.',
    `options` Array(String) COMMENT 'Lawful options, in the order they must be considered.',
    `alerts` Array(UUID) COMMENT 'alert_ids it follows.',
    `group` LowCardinality(String) COMMENT 'Citizenship group of the policy; never the citizenship itself.',
    `oblast` LowCardinality(String) COMMENT 'ISO 3166-2:KZ code; empty if not known.',
    `due_on` Nullable(Date32) COMMENT 'The next day something is due: days since 1970-01-01. null: nothing is.',
    `opened_at` DateTime64(3, 'UTC') COMMENT 'The log\'s clock at the first version: UTC, milliseconds since 1970-01-01.',
    `decided_at` DateTime64(3, 'UTC') COMMENT 'The log\'s clock at this version: UTC, milliseconds since 1970-01-01.',
    `caused_by` UUID COMMENT 'event_id of the event that caused this version.',
    `received_at` DateTime64(3, 'UTC') COMMENT 'When the broker received this version (its timestamp): UTC.'
)
AS
SELECT `case_id`, `version`, person AS subject, `stay_on`, `stage`, `open`, `path`, `protected`, `options`, `alerts`, `group`, `oblast`, `due_on`, `opened_at`, `decided_at`, `caused_by`, `received_at`
FROM
(
    SELECT n.subject AS pseudonym, if(p.person = '', n.subject, p.person) AS person, min(n.subject) OVER (PARTITION BY if(p.person = '', n.subject, p.person), n.stay_on) AS first,
           n.`case_id` AS `case_id`, n.`version` AS `version`, n.`stay_on` AS `stay_on`, n.`stage` AS `stage`, n.`open` AS `open`, n.`path` AS `path`, n.`protected` AS `protected`, n.`options` AS `options`, n.`alerts` AS `alerts`, n.`group` AS `group`, n.`oblast` AS `oblast`, n.`due_on` AS `due_on`, n.`opened_at` AS `opened_at`, n.`decided_at` AS `decided_at`, n.`caused_by` AS `caused_by`, n.`received_at` AS `received_at`
    FROM cases_now AS n LEFT JOIN core_same_person AS p ON p.subject = n.subject
)
WHERE pseudonym = first
COMMENT 'What holds now of every case, by person instead of pseudonym: of cases that linked pseudonyms have about the same stay the one counts that is under the pseudonym that answers. Valid from opened_at; known since decided_at.';

CREATE OR REPLACE VIEW mart_follow_up /*cluster*/
(
    `oblast` LowCardinality(String) COMMENT 'Oblast of the case, ISO 3166-2:KZ; empty if not known.',
    `position` UInt8 COMMENT 'Order of the stage in the funnel, from 1.',
    `stage` LowCardinality(String) COMMENT 'suspected, contacted, legalised, left, cleared, referred or removed.',
    `cases_now` UInt64 COMMENT 'Cases in this stage now.',
    `cases_ever` UInt64 COMMENT 'Cases that have been in this stage at any time.',
    `open_now` UInt64 COMMENT 'Cases in this stage now on which someone still has to act.',
    `protected_now` UInt64 COMMENT 'Cases in this stage now whose person is protected: removal is blocked.',
    `median_days` Nullable(Float64) COMMENT 'Median days from the opening of a case to its first arrival in this stage; NULL if none arrived.'
)
AS
WITH
    stages AS (SELECT tupleElement(s, 1) AS position, tupleElement(s, 2) AS stage FROM (SELECT arrayJoin([
        (1, 'suspected'), (2, 'contacted'), (3, 'legalised'), (4, 'left'), (5, 'cleared'), (6, 'referred'), (7, 'removed')]) AS s)),
    arrivals AS (SELECT case_id, stage, min(decided_at) AS arrived_at, any(opened_at) AS opened_at FROM cases FINAL GROUP BY case_id, stage),
    ever AS
    (
        SELECT n.oblast AS oblast, a.stage AS stage, count() AS cases_ever,
               quantileExact(0.5)(dateDiff('second', a.opened_at, a.arrived_at) / 86400) AS median_days
        FROM arrivals AS a INNER JOIN core_cases_of_people AS n ON n.case_id = a.case_id
        GROUP BY oblast, stage
    ),
    now AS
    (
        SELECT oblast, stage, count() AS cases_now, countIf(open) AS open_now, countIf(protected) AS protected_now
        FROM core_cases_of_people GROUP BY oblast, stage
    )
SELECT
    o.oblast AS oblast,
    s.position AS position,
    s.stage AS stage,
    n.cases_now AS cases_now,
    e.cases_ever AS cases_ever,
    n.open_now AS open_now,
    n.protected_now AS protected_now,
    if(e.cases_ever = 0, NULL, e.median_days) AS median_days
FROM (SELECT DISTINCT oblast FROM core_cases_of_people) AS o
CROSS JOIN stages AS s
LEFT JOIN now AS n ON n.oblast = o.oblast AND n.stage = s.stage
LEFT JOIN ever AS e ON e.oblast = o.oblast AND e.stage = s.stage
COMMENT 'Follow-up funnel by oblast: every stage has a row, empty ones too. Officers decide; the system only counts.';

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
FROM (SELECT case_id, stage, dateDiff('second', min(opened_at), min(decided_at)) / 86400 AS days FROM cases FINAL WHERE case_id IN (SELECT case_id FROM core_cases_of_people) GROUP BY case_id, stage)
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
FROM core_cases_of_people
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
FROM (SELECT oblast, stage, due_on, (SELECT today FROM core_clock) AS today FROM core_cases_of_people WHERE open)
GROUP BY oblast, stage
COMMENT 'Open cases whose next step was due before the log\'s day, by oblast and stage. Unit: cases.';

CREATE OR REPLACE VIEW core_persons /*cluster*/
(
    `subject` String COMMENT 'The pseudonym.',
    `person` String COMMENT 'The person\'s pseudonym: of linked ones the first in the order of texts, which answers for them.',
    `first_at` DateTime64(3, 'UTC') COMMENT 'When the first thing known of it happened: UTC. Valid from here.',
    `last_at` DateTime64(3, 'UTC') COMMENT 'When the last thing known of it happened: UTC.',
    `citizenship` LowCardinality(String) COMMENT 'Citizenship of the document shown last, ISO 3166-1 alpha-3 or an ICAO 9303 special code; empty if none was.',
    `events` UInt64 COMMENT 'Events.',
    `received_at` DateTime64(3, 'UTC') COMMENT 'When the latest record of it arrived: UTC.'
)
AS
SELECT e.subject AS subject, if(any(p.person) = '', e.subject, any(p.person)) AS person, min(e.occurred_at) AS first_at, max(e.occurred_at) AS last_at, any(c.shown) AS citizenship, count() AS events, max(e.received_at) AS received_at
FROM core_events AS e LEFT JOIN core_same_person AS p ON p.subject = e.subject
LEFT JOIN (SELECT subject, argMax(citizenship, (occurred_at, toString(event_id))) AS shown FROM core_border_crossing GROUP BY subject) AS c ON c.subject = e.subject
WHERE startsWith(e.subject, 'p') AND e.event_type NOT IN ('post_heartbeat', 'post_outage', 'count_statement', 'tick', 'quota_allocation', 'shared_facts')
GROUP BY e.subject
COMMENT 'People by pseudonym: since when they are known, and who answers for them. Valid from first_at; known since received_at.';

CREATE OR REPLACE VIEW core_employers /*cluster*/
(
    `subject` String COMMENT 'The employer\'s pseudonym.',
    `oblast` LowCardinality(String) COMMENT 'Where: ISO 3166-2:KZ.',
    `sector` LowCardinality(String) COMMENT 'Section letter of the classification of economic activities.',
    `size` LowCardinality(String) COMMENT 'Size class.',
    `citizens` Int64 COMMENT 'Citizens of Kazakhstan employed, persons.',
    `foreigners` Int64 COMMENT 'Foreigners employed on permits, persons.',
    `as_of_on` Date32 COMMENT 'Day the figures are of: valid from here.',
    `until_on` Nullable(Date32) COMMENT 'Day of the next declaration; NULL: the latest holds.',
    `received_at` DateTime64(3, 'UTC') COMMENT 'When the declaration arrived: UTC.'
)
AS
SELECT subject, oblast, sector, `size`, citizens, foreigners, as_of_on, if(following_on = toDate32('1970-01-01'), NULL, following_on) AS until_on, received_at
FROM
(
    SELECT subject, oblast, sector, `size`, toInt64(citizens_12) + citizens_34 AS citizens, toInt64(foreigners_12) + foreigners_34 AS foreigners, as_of_on, received_at,
           leadInFrame(as_of_on, 1, toDate32('1970-01-01')) OVER (PARTITION BY subject, oblast, sector ORDER BY as_of_on, occurred_at, toString(event_id) ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS following_on
    FROM core_employer_declaration
)
COMMENT 'Employers by what they declared, by oblast and sector. Valid from as_of_on to until_on; known since received_at.';

CREATE OR REPLACE VIEW recomputed_mart_overstay_rate /*cluster*/
(
    `year` UInt16 COMMENT 'Calendar year.',
    `stays` UInt64 COMMENT 'Stays of foreigners begun.',
    `established` UInt64 COMMENT 'Of them with an overstay of grade established, open or ended.',
    `suspected` UInt64 COMMENT 'Of them with an overstay of grade presumed or uncertain only.',
    `established_ratio` Float64 COMMENT 'established / stays.',
    `high_ratio` Float64 COMMENT '(established + suspected) / stays.'
)
AS
SELECT s.year AS year, s.entries AS stays, a.established AS established, a.suspected AS suspected, established / stays AS established_ratio, (established + suspected) / stays AS high_ratio
FROM (SELECT year, toUInt64(sum(entries)) AS entries FROM recomputed_mart_entries_by_purpose GROUP BY year) AS s LEFT JOIN (
    SELECT toYear(stay_on) AS year, countIf(best = 2) AS established, countIf(best = 1) AS suspected
    FROM (SELECT subject, stay_on, max(if(grade = 'established', 2, 1)) AS best FROM core_alerts_of_people WHERE startsWith(rule, 'overstay_') AND state NOT IN ('retracted', 'expired') GROUP BY subject, stay_on)
    GROUP BY year
) AS a ON a.year = s.year
COMMENT 'What mart_overstay_rate must say, computed from every fact: slow. Stays of foreigners with an overstay, of all stays begun in the year: established ones, and with those of whom no exit was seen. Unit: ratio.';

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
SELECT s.year AS year, s.entries AS stays, a.established AS established, a.suspected AS suspected, established / stays AS established_ratio, (established + suspected) / stays AS high_ratio
FROM (SELECT year, toUInt64(sum(entries)) AS entries FROM mart_entries_by_purpose GROUP BY year) AS s LEFT JOIN (
    SELECT toYear(stay_on) AS year, countIf(best = 2) AS established, countIf(best = 1) AS suspected
    FROM (SELECT subject, stay_on, max(if(grade = 'established', 2, 1)) AS best FROM core_alerts_of_people WHERE startsWith(rule, 'overstay_') AND state NOT IN ('retracted', 'expired') GROUP BY subject, stay_on)
    GROUP BY year
) AS a ON a.year = s.year
COMMENT 'Stays of foreigners with an overstay, of all stays begun in the year: established ones, and with those of whom no exit was seen. Unit: ratio.';

CREATE OR REPLACE VIEW recomputed_mart_arrivals_notified /*cluster*/
(
    `year` UInt16 COMMENT 'Calendar year.',
    `oblast` LowCardinality(String) COMMENT 'Oblast of the post of entry, ISO 3166-2:KZ.',
    `due` UInt64 COMMENT 'Stays with a notice, or with a breach.',
    `in_time` UInt64 COMMENT 'Stays with a notice, but for the late ones.',
    `late` UInt64 COMMENT 'Breaches that a notice ended.',
    `never` UInt64 COMMENT 'Breaches that no notice has ended.',
    `ratio` Float64 COMMENT 'in_time / due.'
)
AS
WITH
    noticed AS
    (
        SELECT toYear(occurred_on) AS year, oblast, count() AS noticed_n
        FROM
        (
            SELECT direction, occurred_on, oblast, citizenship,
                   leadInFrame(direction) OVER following AS next_direction, leadInFrame(occurred_at) OVER following AS next_at,
                   leadInFrame(direction) OVER telling AS follows, leadInFrame(occurred_at) OVER telling AS follows_at
            FROM
            (
                SELECT subject, event_id, occurred_at, occurred_on, toString(direction) AS direction, toString(oblast) AS oblast, toString(citizenship) AS citizenship FROM core_crossings_of_people WHERE direction != 'refusal'
                UNION ALL
                SELECT if(p.person = '', r.subject, p.person) AS subject, r.event_id AS event_id, r.occurred_at AS occurred_at, r.occurred_on AS occurred_on, toString(r.kind) AS direction, '' AS oblast, '' AS citizenship
                FROM core_stay_registration AS r LEFT JOIN core_same_person AS p ON p.subject = r.subject WHERE r.kind IN ('arrival', 'extension')
            )
            WINDOW following AS (PARTITION BY subject, direction IN ('entry', 'exit') ORDER BY occurred_at, toString(event_id) ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING),
                   telling AS (PARTITION BY subject, direction != 'exit' ORDER BY occurred_at, direction != 'entry', toString(event_id) ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
        )
        WHERE direction = 'entry' AND citizenship != 'KAZ' AND follows IN ('arrival', 'extension') AND (next_direction = '' OR follows_at <= next_at)
        GROUP BY year, oblast
    ),
    posts AS (SELECT post, argMax(oblast, day) AS oblast FROM recomputed_mart_daily_flows GROUP BY post),
    breached AS
    (
        SELECT toYear(a.stay_on) AS year, p.oblast AS oblast, countIf(a.state = 'resolved' AND a.reason = 'registered') AS late, countIf(NOT (a.state = 'resolved' AND a.reason = 'registered')) AS never
        FROM core_alerts_of_people AS a LEFT JOIN posts AS p ON p.post = a.post
        WHERE a.rule = 'arrival_not_notified' AND a.state NOT IN ('retracted', 'expired')
        GROUP BY year, oblast
    )
SELECT year, oblast, in_time + late + never AS due, toUInt64(greatest(toInt64(sum(noticed_n)) - toInt64(sum(late_n)), 0)) AS in_time, sum(late_n) AS late, sum(never_n) AS never, in_time / due AS ratio
FROM
(
    SELECT year, oblast, noticed_n, toUInt64(0) AS late_n, toUInt64(0) AS never_n FROM noticed
    UNION ALL
    SELECT year, oblast, toUInt64(0) AS noticed_n, late AS late_n, never AS never_n FROM breached
)
GROUP BY year, oblast
COMMENT 'What mart_arrivals_notified must say, computed from every fact: slow. Stays of foreigners of which notice was given in time, of all stays that needed one: those with a notice and those with a breach of the duty. Unit: stays.';

CREATE OR REPLACE VIEW mart_arrivals_notified /*cluster*/
(
    `year` UInt16 COMMENT 'Calendar year.',
    `oblast` LowCardinality(String) COMMENT 'Oblast of the post of entry, ISO 3166-2:KZ.',
    `due` UInt64 COMMENT 'Stays with a notice, or with a breach.',
    `in_time` UInt64 COMMENT 'Stays with a notice, but for the late ones.',
    `late` UInt64 COMMENT 'Breaches that a notice ended.',
    `never` UInt64 COMMENT 'Breaches that no notice has ended.',
    `ratio` Float64 COMMENT 'in_time / due.'
)
AS
WITH
    noticed AS
    (
        SELECT toYear(day) AS year, oblast, toUInt64(sum(c.crossings)) AS noticed_n FROM counts AS c WHERE kind = 'noticed' GROUP BY year, oblast HAVING noticed_n > 0
    ),
    posts AS (SELECT post, argMax(oblast, day) AS oblast FROM mart_daily_flows GROUP BY post),
    breached AS
    (
        SELECT toYear(a.stay_on) AS year, p.oblast AS oblast, countIf(a.state = 'resolved' AND a.reason = 'registered') AS late, countIf(NOT (a.state = 'resolved' AND a.reason = 'registered')) AS never
        FROM core_alerts_of_people AS a LEFT JOIN posts AS p ON p.post = a.post
        WHERE a.rule = 'arrival_not_notified' AND a.state NOT IN ('retracted', 'expired')
        GROUP BY year, oblast
    )
SELECT year, oblast, in_time + late + never AS due, toUInt64(greatest(toInt64(sum(noticed_n)) - toInt64(sum(late_n)), 0)) AS in_time, sum(late_n) AS late, sum(never_n) AS never, in_time / due AS ratio
FROM
(
    SELECT year, oblast, noticed_n, toUInt64(0) AS late_n, toUInt64(0) AS never_n FROM noticed
    UNION ALL
    SELECT year, oblast, toUInt64(0) AS noticed_n, late AS late_n, never AS never_n FROM breached
)
GROUP BY year, oblast
COMMENT 'Stays of foreigners of which notice was given in time, of all stays that needed one: those with a notice and those with a breach of the duty. Unit: stays.';

CREATE OR REPLACE VIEW recomputed_mart_lateness_by_publisher /*cluster*/
(
    `source` LowCardinality(String) COMMENT 'Publishing system.',
    `events` UInt64 COMMENT 'Events.',
    `median_recorded_hours` Float64 COMMENT 'Median hours from happening to recording, to the minute.',
    `p99_recorded_hours` Float64 COMMENT '99th percentile of hours from happening to recording, to the minute.',
    `median_received_hours` Float64 COMMENT 'Median hours from recording to arrival, to the minute.',
    `over_a_day` UInt64 COMMENT 'Events recorded more than 24 hours after they happened.',
    `over_a_day_ratio` Float64 COMMENT 'over_a_day / events.'
)
AS
SELECT source, sumIf(n, what = 'recorded') AS events,
       quantileExactWeightedInterpolatedIf(0.5)(minutes, n, what = 'recorded') / 60 AS median_recorded_hours,
       quantileExactWeightedInterpolatedIf(0.99)(minutes, n, what = 'recorded') / 60 AS p99_recorded_hours,
       quantileExactWeightedInterpolatedIf(0.5)(minutes, n, what = 'received') / 60 AS median_received_hours,
       sumIf(n, what = 'recorded' AND minutes > 1440) AS over_a_day, over_a_day / events AS over_a_day_ratio
FROM
(
    SELECT source, what, minutes, sum(some) AS n FROM
    (
        SELECT source, tupleElement(t, 1) AS what, tupleElement(t, 2) AS minutes, count() AS some
        FROM (SELECT source, arrayJoin([('recorded', toInt32(ceil(dateDiff('second', occurred_at, recorded_at) / 60))), ('received', toInt32(ceil(dateDiff('second', recorded_at, received_at) / 60)))]) AS t FROM core_events)
        GROUP BY source, what, minutes
    )
    GROUP BY source, what, minutes
)
GROUP BY source
COMMENT 'What mart_lateness_by_publisher must say, computed from every event: slow. Hours from when something happened to its being written down, and from then to its arrival, by publisher. Unit: hours; ratio.';

CREATE OR REPLACE VIEW mart_lateness_by_publisher /*cluster*/
(
    `source` LowCardinality(String) COMMENT 'Publishing system.',
    `events` UInt64 COMMENT 'Events.',
    `median_recorded_hours` Float64 COMMENT 'Median hours from happening to recording, to the minute.',
    `p99_recorded_hours` Float64 COMMENT '99th percentile of hours from happening to recording, to the minute.',
    `median_received_hours` Float64 COMMENT 'Median hours from recording to arrival, to the minute.',
    `over_a_day` UInt64 COMMENT 'Events recorded more than 24 hours after they happened.',
    `over_a_day_ratio` Float64 COMMENT 'over_a_day / events.'
)
AS
SELECT source, sumIf(n, what = 'recorded') AS events,
       quantileExactWeightedInterpolatedIf(0.5)(minutes, n, what = 'recorded') / 60 AS median_recorded_hours,
       quantileExactWeightedInterpolatedIf(0.99)(minutes, n, what = 'recorded') / 60 AS p99_recorded_hours,
       quantileExactWeightedInterpolatedIf(0.5)(minutes, n, what = 'received') / 60 AS median_received_hours,
       sumIf(n, what = 'recorded' AND minutes > 1440) AS over_a_day, over_a_day / events AS over_a_day_ratio
FROM
(
    SELECT source, what, minutes, sum(some) AS n FROM
    (
        SELECT toString(source) AS source, toString(kind) AS what, days AS minutes, toUInt64(sum(c.crossings)) AS some FROM counts AS c WHERE kind IN ('recorded', 'received') GROUP BY source, what, minutes HAVING some > 0
        UNION ALL
        SELECT toString(source) AS source, tupleElement(t, 1) AS what, tupleElement(t, 2) AS minutes, count() AS some
        FROM (SELECT source, arrayJoin([('recorded', toInt32(ceil(dateDiff('second', occurred_at, recorded_at) / 60))), ('received', toInt32(ceil(dateDiff('second', recorded_at, received_at) / 60)))]) AS t FROM (
            SELECT source, occurred_at, recorded_at, received_at FROM merge(currentDatabase(), '^raw_')
            WHERE _table NOT IN ('raw_border_crossing', 'raw_stay_registration') AND (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM dead_letters)
            ORDER BY subject, event_id, recorded_at, topic, partition, offset
            LIMIT 1 BY subject, event_id
        ))
        GROUP BY source, what, minutes
    )
    GROUP BY source, what, minutes
)
GROUP BY source
COMMENT 'Hours from when something happened to its being written down, and from then to its arrival, by publisher. Unit: hours; ratio.';

CREATE OR REPLACE VIEW recomputed_mart_completeness_by_publisher /*cluster*/
(
    `source` LowCardinality(String) COMMENT 'Publishing system.',
    `last_seq` Int64 COMMENT 'Largest number received.',
    `received` UInt64 COMMENT 'Different numbers received; an event that was refused came, too.',
    `missing` Int64 COMMENT 'last_seq - received.',
    `ratio` Nullable(Float64) COMMENT 'received / last_seq; NULL: nothing numbered.'
)
AS
SELECT source, greatest(max(source_seq), 0) AS last_seq, uniqExactIf(source_seq, source_seq > 0) AS received, last_seq - toInt64(received) AS missing,
       if(last_seq <= 0, NULL, received / last_seq) AS ratio
FROM merge(currentDatabase(), '^raw_')
GROUP BY source
COMMENT 'What mart_completeness_by_publisher must say, computed from every event: slow. Events that came, of the numbers the publisher has given: a hole in source_seq is a lost event. Unit: ratio.';

CREATE OR REPLACE VIEW mart_completeness_by_publisher /*cluster*/
(
    `source` LowCardinality(String) COMMENT 'Publishing system.',
    `last_seq` Int64 COMMENT 'Largest number received.',
    `received` UInt64 COMMENT 'Different numbers received; an event that was refused came, too.',
    `missing` Int64 COMMENT 'last_seq - received.',
    `ratio` Nullable(Float64) COMMENT 'received / last_seq; NULL: nothing numbered.'
)
AS
SELECT source, toInt64(max(bitmapMax(seen))) AS last_seq, sum(bitmapCardinality(seen)) - max(bitmapContains(seen, toUInt64(0))) AS received, last_seq - toInt64(received) AS missing,
       if(last_seq <= 0, NULL, received / last_seq) AS ratio
FROM (SELECT source, block, groupBitmapMergeState(numbers) AS seen FROM numbers_seen GROUP BY source, block)
GROUP BY source
COMMENT 'Events that came, of the numbers the publisher has given: a hole in source_seq is a lost event. Unit: ratio.';

CREATE OR REPLACE VIEW mart_retractions_by_source /*cluster*/
(
    `source` LowCardinality(String) COMMENT 'Publisher of the event that retracted.',
    `alerts` UInt64 COMMENT 'Alerts.',
    `median_late_hours` Float64 COMMENT 'Median hours from when that event happened to its being written down.'
)
AS
SELECT e.source AS source, count() AS alerts, quantileExactInclusive(0.5)(dateDiff('second', e.occurred_at, e.recorded_at) / 3600) AS median_late_hours
FROM (SELECT alert_id, caused_by FROM alerts_now WHERE state = 'retracted') AS a
INNER JOIN (SELECT event_id, min(source) AS source, min(occurred_at) AS occurred_at, min(recorded_at) AS recorded_at FROM
(
    SELECT event_id, source, occurred_at, recorded_at FROM merge(currentDatabase(), '^raw_')
    WHERE event_id IN (SELECT caused_by FROM alerts_now WHERE state = 'retracted') AND (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM dead_letters)
    ORDER BY subject, event_id, recorded_at, topic, partition, offset
    LIMIT 1 BY subject, event_id
) GROUP BY event_id) AS e ON e.event_id = a.caused_by
GROUP BY source
COMMENT 'Alerts retracted by the publisher whose event retracted them: whose late or corrected records had raised wrong alerts, and how late they were. Unit: alerts.';
