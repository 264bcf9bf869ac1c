-- Facts that count, each once: without repeats, without dead letters, without what a correction withdraws; and what holds now.

CREATE OR REPLACE VIEW core_withdrawals /*cluster*/
(
    `subject` String COMMENT 'The person: corrections act within one dossier.',
    `event_id` UUID COMMENT 'The event that no longer counts, if it is smaller than the correction by (recorded_at, event_id).',
    `withdrawn_at` DateTime64(3, 'UTC') COMMENT 'recorded_at of the greatest correction in force that names it: UTC.',
    `withdrawn_by` UUID COMMENT 'event_id of that correction.',
    `withdrawn` UInt8 COMMENT 'Always 1: tells a match from none in a LEFT JOIN.'
)
AS
WITH
    corrections AS
    (
        SELECT subject, event_id, recorded_at, supersedes FROM raw_correction
        WHERE (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM dead_letters)
        ORDER BY subject, event_id, recorded_at, topic, partition, offset
        LIMIT 1 BY subject, event_id
    ),
    -- From the greatest to the smallest: a correction is in force unless one in force before it names it.
    folded AS
    (
        SELECT
            subject,
            arrayFold
            (
                (force, c) -> if(arrayExists(f -> tupleElement(f, 3) = tupleElement(c, 2), force), force, arrayPushBack(force, c)),
                arrayReverseSort(c -> (tupleElement(c, 1), toString(tupleElement(c, 2))), groupArray((recorded_at, event_id, supersedes))),
                CAST([], 'Array(Tuple(DateTime64(3, \'UTC\'), UUID, UUID))')
            ) AS in_force
        FROM corrections
        GROUP BY subject
    )
SELECT
    subject,
    tupleElement(c, 3) AS event_id,
    max(tupleElement(c, 1)) AS withdrawn_at,
    argMax(tupleElement(c, 2), (tupleElement(c, 1), toString(tupleElement(c, 2)))) AS withdrawn_by,
    toUInt8(1) AS withdrawn
FROM folded ARRAY JOIN in_force AS c
GROUP BY subject, event_id
COMMENT 'What the corrections in force withdraw; corrections of corrections are resolved. Source: docs/rules.md, Facts, days, time.';

CREATE OR REPLACE VIEW core_border_crossing /*cluster*/
(
    `event_id` UUID COMMENT 'Identity of the fact, a UUID given by the publisher. The same fact sent again carries the same id, so that repeats do no harm.',
    `subject` String COMMENT 'The person the fact is about: a pseudonym p<key version>-<32 hexadecimal digits>, HMAC-SHA-256 under a versioned key. Never a name or a document number. Also the Kafka message key.',
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened: UTC, milliseconds since 1970-01-01. Filled by the source; not more than 24 hours after the message arrives.',
    `recorded_at` DateTime64(3, 'UTC') COMMENT 'When the source wrote it down: UTC, milliseconds since 1970-01-01. Between occurred_at and this lies the lateness of the source.',
    `source` LowCardinality(String) COMMENT 'The publishing system, at most 64 characters, e.g. post:KZ-75-A1 or register:permits. Never a person. Filled by the publisher.',
    `source_seq` Int64 COMMENT 'Number of this event at its source, counting from 1 without gaps: a hole shows a lost event. Filled by the publisher.',
    `direction` LowCardinality(String) COMMENT 'What happened. entry: admitted; exit: left the country; refusal: came and was not let in (then refusal_reason says why).',
    `post` LowCardinality(String) COMMENT 'Code of the border post (policy: posts.yaml, which also gives its time zone and oblast).',
    `citizenship` LowCardinality(String) COMMENT 'Citizenship of the document shown: ISO 3166-1 alpha-3 or an ICAO 9303 special code (policy: countries). Used only where a treaty or a visa regime names it.',
    `purpose` LowCardinality(String) COMMENT 'Purpose stated at the border. crew: crews of vehicles, ships and aircraft; unknown: not asked.',
    `document` LowCardinality(String) COMMENT 'Kind of document shown; its number is never published.',
    `transport` LowCardinality(String) COMMENT 'How the person came or left.',
    `visa_id` Nullable(UUID) COMMENT 'The visa used, as in the visa\'s own events: the issuer\'s reference, never the sticker\'s number. null: no visa was used.',
    `refusal_reason` LowCardinality(Nullable(String)) COMMENT 'Why entry was refused. Required for a refusal, null otherwise. means: no means of support.',
    `occurred_on` Date32 COMMENT 'Local calendar day of occurred_at in the zone of the event\'s post or oblast (the country\'s where it names none).',
    `oblast` LowCardinality(String) COMMENT 'Oblast the post lay in on occurred_on, ISO 3166-2:KZ, from the policy\'s posts; empty if the post is not known.',
    `topic` LowCardinality(String) COMMENT 'Topic the record was read from.',
    `partition` Int32 COMMENT 'Partition of the topic.',
    `offset` Int64 COMMENT 'Offset in the partition: with topic and partition the identity of this delivery.',
    `received_at` DateTime64(3, 'UTC') COMMENT 'When the broker received the record (its timestamp): UTC.'
)
AS SELECT r.`event_id` AS `event_id`, r.`subject` AS `subject`, r.`occurred_at` AS `occurred_at`, r.`recorded_at` AS `recorded_at`, r.`source` AS `source`, r.`source_seq` AS `source_seq`, r.`direction` AS `direction`, r.`post` AS `post`, r.`citizenship` AS `citizenship`, r.`purpose` AS `purpose`, r.`document` AS `document`, r.`transport` AS `transport`, r.`visa_id` AS `visa_id`, r.`refusal_reason` AS `refusal_reason`, r.`occurred_on` AS `occurred_on`, r.`oblast` AS `oblast`, r.`topic` AS `topic`, r.`partition` AS `partition`, r.`offset` AS `offset`, r.`received_at` AS `received_at`
FROM
(
    SELECT * FROM raw_border_crossing
    WHERE (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM dead_letters)
    ORDER BY subject, event_id, recorded_at, topic, partition, offset
    LIMIT 1 BY subject, event_id
) AS r
LEFT JOIN core_withdrawals AS w ON w.subject = r.subject AND w.event_id = r.event_id
WHERE w.withdrawn = 0 OR (r.recorded_at, toString(r.event_id)) >= (w.withdrawn_at, toString(w.withdrawn_by))
COMMENT 'Facts that count, each once: An entry, an exit, or a refusal to let someone enter. Published by a border post for every person who comes to its counter.';

CREATE OR REPLACE VIEW core_stay_registration /*cluster*/
(
    `event_id` UUID COMMENT 'Identity of the fact, a UUID given by the publisher. The same fact sent again carries the same id, so that repeats do no harm.',
    `subject` String COMMENT 'The person the fact is about: a pseudonym p<key version>-<32 hexadecimal digits>, HMAC-SHA-256 under a versioned key. Never a name or a document number. Also the Kafka message key.',
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened: UTC, milliseconds since 1970-01-01. Filled by the source; not more than 24 hours after the message arrives.',
    `recorded_at` DateTime64(3, 'UTC') COMMENT 'When the source wrote it down: UTC, milliseconds since 1970-01-01. Between occurred_at and this lies the lateness of the source.',
    `source` LowCardinality(String) COMMENT 'The publishing system, at most 64 characters, e.g. post:KZ-75-A1 or register:permits. Never a person. Filled by the publisher.',
    `source_seq` Int64 COMMENT 'Number of this event at its source, counting from 1 without gaps: a hole shows a lost event. Filled by the publisher.',
    `kind` LowCardinality(String) COMMENT 'arrival: a host gives notice; extension: the migration service prolongs the stay to valid_until_on; deregistration: the person has left the address.',
    `oblast` LowCardinality(String) COMMENT 'Where the person stays: ISO 3166-2:KZ code, e.g. KZ-75 (policy: oblasts.yaml).',
    `address_key` Nullable(UUID) COMMENT 'Keyed hash (HMAC-SHA-256 cut to 16 bytes) of the address, for finding people at one address without knowing it. null: not known.',
    `host` LowCardinality(String) COMMENT 'What kind of host gave notice.',
    `host_subject` Nullable(String) COMMENT 'The host where it is an employer: employer\'s pseudonym, e<key version>-<32 hexadecimal digits>. null otherwise.',
    `arrived_on` Date32 COMMENT 'Day of arrival at this address: days since 1970-01-01, in the local calendar of the oblast.',
    `valid_until_on` Nullable(Date32) COMMENT 'Last lawful day an extension grants: days since 1970-01-01. Required for an extension, null for a plain notice of arrival.',
    `occurred_on` Date32 COMMENT 'Local calendar day of occurred_at in the zone of the event\'s post or oblast (the country\'s where it names none).',
    `topic` LowCardinality(String) COMMENT 'Topic the record was read from.',
    `partition` Int32 COMMENT 'Partition of the topic.',
    `offset` Int64 COMMENT 'Offset in the partition: with topic and partition the identity of this delivery.',
    `received_at` DateTime64(3, 'UTC') COMMENT 'When the broker received the record (its timestamp): UTC.'
)
AS SELECT r.`event_id` AS `event_id`, r.`subject` AS `subject`, r.`occurred_at` AS `occurred_at`, r.`recorded_at` AS `recorded_at`, r.`source` AS `source`, r.`source_seq` AS `source_seq`, r.`kind` AS `kind`, r.`oblast` AS `oblast`, r.`address_key` AS `address_key`, r.`host` AS `host`, r.`host_subject` AS `host_subject`, r.`arrived_on` AS `arrived_on`, r.`valid_until_on` AS `valid_until_on`, r.`occurred_on` AS `occurred_on`, r.`topic` AS `topic`, r.`partition` AS `partition`, r.`offset` AS `offset`, r.`received_at` AS `received_at`
FROM
(
    SELECT * FROM raw_stay_registration
    WHERE (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM dead_letters)
    ORDER BY subject, event_id, recorded_at, topic, partition, offset
    LIMIT 1 BY subject, event_id
) AS r
LEFT JOIN core_withdrawals AS w ON w.subject = r.subject AND w.event_id = r.event_id
WHERE w.withdrawn = 0 OR (r.recorded_at, toString(r.event_id)) >= (w.withdrawn_at, toString(w.withdrawn_by))
COMMENT 'Facts that count, each once: A host\'s notice of a foreigner\'s arrival, an extension of a stay, or a deregistration. Published by the registers of the migration service.';

CREATE OR REPLACE VIEW core_visa /*cluster*/
(
    `event_id` UUID COMMENT 'Identity of the fact, a UUID given by the publisher. The same fact sent again carries the same id, so that repeats do no harm.',
    `subject` String COMMENT 'The person the fact is about: a pseudonym p<key version>-<32 hexadecimal digits>, HMAC-SHA-256 under a versioned key. Never a name or a document number. Also the Kafka message key.',
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened: UTC, milliseconds since 1970-01-01. Filled by the source; not more than 24 hours after the message arrives.',
    `recorded_at` DateTime64(3, 'UTC') COMMENT 'When the source wrote it down: UTC, milliseconds since 1970-01-01. Between occurred_at and this lies the lateness of the source.',
    `source` LowCardinality(String) COMMENT 'The publishing system, at most 64 characters, e.g. post:KZ-75-A1 or register:permits. Never a person. Filled by the publisher.',
    `source_seq` Int64 COMMENT 'Number of this event at its source, counting from 1 without gaps: a hole shows a lost event. Filled by the publisher.',
    `kind` LowCardinality(String) COMMENT 'issued; extended: the event carries the new values; annulled: the visa ends on the day of occurred_at.',
    `visa_id` UUID COMMENT 'The issuer\'s reference as a UUID; ties the events of one visa together. Never the sticker\'s number.',
    `category` LowCardinality(String) COMMENT 'Visa category of Kazakhstan\'s rules: a letter and, where there is one, a number, e.g. B10 (tourism), C3 (work).',
    `valid_from_on` Date32 COMMENT 'First day of validity: days since 1970-01-01.',
    `valid_until_on` Date32 COMMENT 'Last day of validity, itself included: days since 1970-01-01.',
    `days_allowed` Int32 COMMENT 'Days of stay allowed in total over the validity, 1 or more.',
    `entries_allowed` Int32 COMMENT 'Entries allowed; 0 means any number.',
    `occurred_on` Date32 COMMENT 'Local calendar day of occurred_at in the zone of the event\'s post or oblast (the country\'s where it names none).',
    `topic` LowCardinality(String) COMMENT 'Topic the record was read from.',
    `partition` Int32 COMMENT 'Partition of the topic.',
    `offset` Int64 COMMENT 'Offset in the partition: with topic and partition the identity of this delivery.',
    `received_at` DateTime64(3, 'UTC') COMMENT 'When the broker received the record (its timestamp): UTC.'
)
AS SELECT r.`event_id` AS `event_id`, r.`subject` AS `subject`, r.`occurred_at` AS `occurred_at`, r.`recorded_at` AS `recorded_at`, r.`source` AS `source`, r.`source_seq` AS `source_seq`, r.`kind` AS `kind`, r.`visa_id` AS `visa_id`, r.`category` AS `category`, r.`valid_from_on` AS `valid_from_on`, r.`valid_until_on` AS `valid_until_on`, r.`days_allowed` AS `days_allowed`, r.`entries_allowed` AS `entries_allowed`, r.`occurred_on` AS `occurred_on`, r.`topic` AS `topic`, r.`partition` AS `partition`, r.`offset` AS `offset`, r.`received_at` AS `received_at`
FROM
(
    SELECT * FROM raw_visa
    WHERE (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM dead_letters)
    ORDER BY subject, event_id, recorded_at, topic, partition, offset
    LIMIT 1 BY subject, event_id
) AS r
LEFT JOIN core_withdrawals AS w ON w.subject = r.subject AND w.event_id = r.event_id
WHERE w.withdrawn = 0 OR (r.recorded_at, toString(r.event_id)) >= (w.withdrawn_at, toString(w.withdrawn_by))
COMMENT 'Facts that count, each once: A visa issued, extended or annulled. Published by the register of visas.';

CREATE OR REPLACE VIEW core_residence_permit /*cluster*/
(
    `event_id` UUID COMMENT 'Identity of the fact, a UUID given by the publisher. The same fact sent again carries the same id, so that repeats do no harm.',
    `subject` String COMMENT 'The person the fact is about: a pseudonym p<key version>-<32 hexadecimal digits>, HMAC-SHA-256 under a versioned key. Never a name or a document number. Also the Kafka message key.',
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened: UTC, milliseconds since 1970-01-01. Filled by the source; not more than 24 hours after the message arrives.',
    `recorded_at` DateTime64(3, 'UTC') COMMENT 'When the source wrote it down: UTC, milliseconds since 1970-01-01. Between occurred_at and this lies the lateness of the source.',
    `source` LowCardinality(String) COMMENT 'The publishing system, at most 64 characters, e.g. post:KZ-75-A1 or register:permits. Never a person. Filled by the publisher.',
    `source_seq` Int64 COMMENT 'Number of this event at its source, counting from 1 without gaps: a hole shows a lost event. Filled by the publisher.',
    `kind` LowCardinality(String) COMMENT 'issued; extended: the event carries the new values; revoked: the permit ends on the day of occurred_at.',
    `permit_id` UUID COMMENT 'The issuer\'s reference as a UUID; ties the events of one permit together.',
    `residence` LowCardinality(String) COMMENT 'temporary or permanent residence.',
    `purpose` LowCardinality(String) COMMENT 'Ground of a temporary permit, in the words of border_crossing\'s purpose: private, tourism, business, work, study, treatment, family, transit, official, crew or unknown.',
    `oblast` LowCardinality(String) COMMENT 'Oblast of residence: ISO 3166-2:KZ code, e.g. KZ-75 (policy: oblasts.yaml).',
    `valid_from_on` Date32 COMMENT 'First day of validity: days since 1970-01-01.',
    `valid_until_on` Nullable(Date32) COMMENT 'Last day of validity, itself included: days since 1970-01-01. null: unlimited.',
    `occurred_on` Date32 COMMENT 'Local calendar day of occurred_at in the zone of the event\'s post or oblast (the country\'s where it names none).',
    `topic` LowCardinality(String) COMMENT 'Topic the record was read from.',
    `partition` Int32 COMMENT 'Partition of the topic.',
    `offset` Int64 COMMENT 'Offset in the partition: with topic and partition the identity of this delivery.',
    `received_at` DateTime64(3, 'UTC') COMMENT 'When the broker received the record (its timestamp): UTC.'
)
AS SELECT r.`event_id` AS `event_id`, r.`subject` AS `subject`, r.`occurred_at` AS `occurred_at`, r.`recorded_at` AS `recorded_at`, r.`source` AS `source`, r.`source_seq` AS `source_seq`, r.`kind` AS `kind`, r.`permit_id` AS `permit_id`, r.`residence` AS `residence`, r.`purpose` AS `purpose`, r.`oblast` AS `oblast`, r.`valid_from_on` AS `valid_from_on`, r.`valid_until_on` AS `valid_until_on`, r.`occurred_on` AS `occurred_on`, r.`topic` AS `topic`, r.`partition` AS `partition`, r.`offset` AS `offset`, r.`received_at` AS `received_at`
FROM
(
    SELECT * FROM raw_residence_permit
    WHERE (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM dead_letters)
    ORDER BY subject, event_id, recorded_at, topic, partition, offset
    LIMIT 1 BY subject, event_id
) AS r
LEFT JOIN core_withdrawals AS w ON w.subject = r.subject AND w.event_id = r.event_id
WHERE w.withdrawn = 0 OR (r.recorded_at, toString(r.event_id)) >= (w.withdrawn_at, toString(w.withdrawn_by))
COMMENT 'Facts that count, each once: A temporary or permanent residence permit issued, extended or revoked. Published by the migration service.';

CREATE OR REPLACE VIEW core_citizenship /*cluster*/
(
    `event_id` UUID COMMENT 'Identity of the fact, a UUID given by the publisher. The same fact sent again carries the same id, so that repeats do no harm.',
    `subject` String COMMENT 'The person the fact is about: a pseudonym p<key version>-<32 hexadecimal digits>, HMAC-SHA-256 under a versioned key. Never a name or a document number. Also the Kafka message key.',
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened: UTC, milliseconds since 1970-01-01. Filled by the source; not more than 24 hours after the message arrives.',
    `recorded_at` DateTime64(3, 'UTC') COMMENT 'When the source wrote it down: UTC, milliseconds since 1970-01-01. Between occurred_at and this lies the lateness of the source.',
    `source` LowCardinality(String) COMMENT 'The publishing system, at most 64 characters, e.g. post:KZ-75-A1 or register:permits. Never a person. Filled by the publisher.',
    `source_seq` Int64 COMMENT 'Number of this event at its source, counting from 1 without gaps: a hole shows a lost event. Filled by the publisher.',
    `kind` LowCardinality(String) COMMENT 'acquired or lost.',
    `country` LowCardinality(String) COMMENT 'The citizenship: ISO 3166-1 alpha-3 or an ICAO 9303 special code (policy: countries). KAZ acquired ends every rule on the stay of foreigners.',
    `effective_on` Date32 COMMENT 'The day it takes effect: days since 1970-01-01.',
    `occurred_on` Date32 COMMENT 'Local calendar day of occurred_at in the zone of the event\'s post or oblast (the country\'s where it names none).',
    `topic` LowCardinality(String) COMMENT 'Topic the record was read from.',
    `partition` Int32 COMMENT 'Partition of the topic.',
    `offset` Int64 COMMENT 'Offset in the partition: with topic and partition the identity of this delivery.',
    `received_at` DateTime64(3, 'UTC') COMMENT 'When the broker received the record (its timestamp): UTC.'
)
AS SELECT r.`event_id` AS `event_id`, r.`subject` AS `subject`, r.`occurred_at` AS `occurred_at`, r.`recorded_at` AS `recorded_at`, r.`source` AS `source`, r.`source_seq` AS `source_seq`, r.`kind` AS `kind`, r.`country` AS `country`, r.`effective_on` AS `effective_on`, r.`occurred_on` AS `occurred_on`, r.`topic` AS `topic`, r.`partition` AS `partition`, r.`offset` AS `offset`, r.`received_at` AS `received_at`
FROM
(
    SELECT * FROM raw_citizenship
    WHERE (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM dead_letters)
    ORDER BY subject, event_id, recorded_at, topic, partition, offset
    LIMIT 1 BY subject, event_id
) AS r
LEFT JOIN core_withdrawals AS w ON w.subject = r.subject AND w.event_id = r.event_id
WHERE w.withdrawn = 0 OR (r.recorded_at, toString(r.event_id)) >= (w.withdrawn_at, toString(w.withdrawn_by))
COMMENT 'Facts that count, each once: A citizenship acquired or lost, as the registers know it (not as a document at the border shows it).';

CREATE OR REPLACE VIEW core_work_permit /*cluster*/
(
    `event_id` UUID COMMENT 'Identity of the fact, a UUID given by the publisher. The same fact sent again carries the same id, so that repeats do no harm.',
    `subject` String COMMENT 'The person the fact is about: a pseudonym p<key version>-<32 hexadecimal digits>, HMAC-SHA-256 under a versioned key. Never a name or a document number. Also the Kafka message key.',
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened: UTC, milliseconds since 1970-01-01. Filled by the source; not more than 24 hours after the message arrives.',
    `recorded_at` DateTime64(3, 'UTC') COMMENT 'When the source wrote it down: UTC, milliseconds since 1970-01-01. Between occurred_at and this lies the lateness of the source.',
    `source` LowCardinality(String) COMMENT 'The publishing system, at most 64 characters, e.g. post:KZ-75-A1 or register:permits. Never a person. Filled by the publisher.',
    `source_seq` Int64 COMMENT 'Number of this event at its source, counting from 1 without gaps: a hole shows a lost event. Filled by the publisher.',
    `kind` LowCardinality(String) COMMENT 'issued; extended: the event carries the new values; revoked: the permit ends on the day of occurred_at.',
    `permit_id` UUID COMMENT 'The issuer\'s reference as a UUID; ties the events of one permit together.',
    `permit_type` LowCardinality(String) COMMENT 'employer: asked for by an employer within the quota; household: work for natural persons; self_employment: independent employment of a qualified worker; intra_company: transfer within one company; seasonal: seasonal foreign workers.',
    `category` LowCardinality(Nullable(String)) COMMENT 'Category of an employer permit: 1 (heads), 2 (heads of departments), 3 (specialists), 4 (skilled workers) or seasonal. A string, as Avro\'s enum symbols cannot begin with a digit. null for the other permit types.',
    `employer` Nullable(String) COMMENT 'The employer the permit names: employer\'s pseudonym, e<key version>-<32 hexadecimal digits>. null: it names none.',
    `oblast` LowCardinality(String) COMMENT 'The oblast the permit is valid in: ISO 3166-2:KZ code, e.g. KZ-75 (policy: oblasts.yaml).',
    `sector` LowCardinality(String) COMMENT 'Economic activity: section letter A to U of the national classification of economic activities (policy: sectors).',
    `valid_from_on` Date32 COMMENT 'First day of validity: days since 1970-01-01.',
    `valid_until_on` Date32 COMMENT 'Last day of validity, itself included: days since 1970-01-01.',
    `occurred_on` Date32 COMMENT 'Local calendar day of occurred_at in the zone of the event\'s post or oblast (the country\'s where it names none).',
    `topic` LowCardinality(String) COMMENT 'Topic the record was read from.',
    `partition` Int32 COMMENT 'Partition of the topic.',
    `offset` Int64 COMMENT 'Offset in the partition: with topic and partition the identity of this delivery.',
    `received_at` DateTime64(3, 'UTC') COMMENT 'When the broker received the record (its timestamp): UTC.'
)
AS SELECT r.`event_id` AS `event_id`, r.`subject` AS `subject`, r.`occurred_at` AS `occurred_at`, r.`recorded_at` AS `recorded_at`, r.`source` AS `source`, r.`source_seq` AS `source_seq`, r.`kind` AS `kind`, r.`permit_id` AS `permit_id`, r.`permit_type` AS `permit_type`, r.`category` AS `category`, r.`employer` AS `employer`, r.`oblast` AS `oblast`, r.`sector` AS `sector`, r.`valid_from_on` AS `valid_from_on`, r.`valid_until_on` AS `valid_until_on`, r.`occurred_on` AS `occurred_on`, r.`topic` AS `topic`, r.`partition` AS `partition`, r.`offset` AS `offset`, r.`received_at` AS `received_at`
FROM
(
    SELECT * FROM raw_work_permit
    WHERE (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM dead_letters)
    ORDER BY subject, event_id, recorded_at, topic, partition, offset
    LIMIT 1 BY subject, event_id
) AS r
LEFT JOIN core_withdrawals AS w ON w.subject = r.subject AND w.event_id = r.event_id
WHERE w.withdrawn = 0 OR (r.recorded_at, toString(r.event_id)) >= (w.withdrawn_at, toString(w.withdrawn_by))
COMMENT 'Facts that count, each once: A permit to work, issued, extended or revoked. Published by employment authorities and, for work at households, by the migration service.';

CREATE OR REPLACE VIEW core_labour_contract /*cluster*/
(
    `event_id` UUID COMMENT 'Identity of the fact, a UUID given by the publisher. The same fact sent again carries the same id, so that repeats do no harm.',
    `subject` String COMMENT 'The person the fact is about: a pseudonym p<key version>-<32 hexadecimal digits>, HMAC-SHA-256 under a versioned key. Never a name or a document number. Also the Kafka message key.',
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened: UTC, milliseconds since 1970-01-01. Filled by the source; not more than 24 hours after the message arrives.',
    `recorded_at` DateTime64(3, 'UTC') COMMENT 'When the source wrote it down: UTC, milliseconds since 1970-01-01. Between occurred_at and this lies the lateness of the source.',
    `source` LowCardinality(String) COMMENT 'The publishing system, at most 64 characters, e.g. post:KZ-75-A1 or register:permits. Never a person. Filled by the publisher.',
    `source_seq` Int64 COMMENT 'Number of this event at its source, counting from 1 without gaps: a hole shows a lost event. Filled by the publisher.',
    `kind` LowCardinality(String) COMMENT 'concluded; ended: the work ended on until_on; outbound: registered contract of a resident who goes to work abroad.',
    `contract_id` UUID COMMENT 'The register\'s reference as a UUID; ties the events of one contract together.',
    `employer` String COMMENT 'The employer: employer\'s pseudonym, e<key version>-<32 hexadecimal digits>.',
    `country` LowCardinality(String) COMMENT 'Country of work: ISO 3166-1 alpha-3 or an ICAO 9303 special code (policy: countries). KAZ unless kind is outbound.',
    `oblast` LowCardinality(String) COMMENT 'Oblast of work (outbound: oblast of residence): ISO 3166-2:KZ code, e.g. KZ-75 (policy: oblasts.yaml).',
    `sector` LowCardinality(String) COMMENT 'Economic activity: section letter A to U of the national classification of economic activities (policy: sectors).',
    `from_on` Date32 COMMENT 'First day of work: days since 1970-01-01.',
    `until_on` Nullable(Date32) COMMENT 'Last day of work: days since 1970-01-01. Required when ended; null: a contract without a term.',
    `occurred_on` Date32 COMMENT 'Local calendar day of occurred_at in the zone of the event\'s post or oblast (the country\'s where it names none).',
    `topic` LowCardinality(String) COMMENT 'Topic the record was read from.',
    `partition` Int32 COMMENT 'Partition of the topic.',
    `offset` Int64 COMMENT 'Offset in the partition: with topic and partition the identity of this delivery.',
    `received_at` DateTime64(3, 'UTC') COMMENT 'When the broker received the record (its timestamp): UTC.'
)
AS SELECT r.`event_id` AS `event_id`, r.`subject` AS `subject`, r.`occurred_at` AS `occurred_at`, r.`recorded_at` AS `recorded_at`, r.`source` AS `source`, r.`source_seq` AS `source_seq`, r.`kind` AS `kind`, r.`contract_id` AS `contract_id`, r.`employer` AS `employer`, r.`country` AS `country`, r.`oblast` AS `oblast`, r.`sector` AS `sector`, r.`from_on` AS `from_on`, r.`until_on` AS `until_on`, r.`occurred_on` AS `occurred_on`, r.`topic` AS `topic`, r.`partition` AS `partition`, r.`offset` AS `offset`, r.`received_at` AS `received_at`
FROM
(
    SELECT * FROM raw_labour_contract
    WHERE (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM dead_letters)
    ORDER BY subject, event_id, recorded_at, topic, partition, offset
    LIMIT 1 BY subject, event_id
) AS r
LEFT JOIN core_withdrawals AS w ON w.subject = r.subject AND w.event_id = r.event_id
WHERE w.withdrawn = 0 OR (r.recorded_at, toString(r.event_id)) >= (w.withdrawn_at, toString(w.withdrawn_by))
COMMENT 'Facts that count, each once: A labour contract concluded or ended in Kazakhstan, or the registered contract of someone leaving to work abroad. Published by the register of labour contracts.';

CREATE OR REPLACE VIEW core_inspection /*cluster*/
(
    `event_id` UUID COMMENT 'Identity of the fact, a UUID given by the publisher. The same fact sent again carries the same id, so that repeats do no harm.',
    `subject` String COMMENT 'The person the fact is about: a pseudonym p<key version>-<32 hexadecimal digits>, HMAC-SHA-256 under a versioned key. Never a name or a document number. Also the Kafka message key.',
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened: UTC, milliseconds since 1970-01-01. Filled by the source; not more than 24 hours after the message arrives.',
    `recorded_at` DateTime64(3, 'UTC') COMMENT 'When the source wrote it down: UTC, milliseconds since 1970-01-01. Between occurred_at and this lies the lateness of the source.',
    `source` LowCardinality(String) COMMENT 'The publishing system, at most 64 characters, e.g. post:KZ-75-A1 or register:permits. Never a person. Filled by the publisher.',
    `source_seq` Int64 COMMENT 'Number of this event at its source, counting from 1 without gaps: a hole shows a lost event. Filled by the publisher.',
    `kind` LowCardinality(String) COMMENT 'in_country_check: asked for documents; worker_found: found working at an employer (then sector is required).',
    `inspection_id` UUID COMMENT 'One visit of inspectors, as a UUID; one visit may find many people.',
    `oblast` LowCardinality(String) COMMENT 'Where: ISO 3166-2:KZ code, e.g. KZ-75 (policy: oblasts.yaml).',
    `employer` Nullable(String) COMMENT 'For worker_found, the employer: employer\'s pseudonym, e<key version>-<32 hexadecimal digits>. null: not known.',
    `sector` LowCardinality(Nullable(String)) COMMENT 'For worker_found, the economic activity: section letter A to U of the national classification of economic activities (policy: sectors). null otherwise.',
    `address_key` Nullable(UUID) COMMENT 'Keyed hash (HMAC-SHA-256 cut to 16 bytes) of the address. null: not known.',
    `occurred_on` Date32 COMMENT 'Local calendar day of occurred_at in the zone of the event\'s post or oblast (the country\'s where it names none).',
    `topic` LowCardinality(String) COMMENT 'Topic the record was read from.',
    `partition` Int32 COMMENT 'Partition of the topic.',
    `offset` Int64 COMMENT 'Offset in the partition: with topic and partition the identity of this delivery.',
    `received_at` DateTime64(3, 'UTC') COMMENT 'When the broker received the record (its timestamp): UTC.'
)
AS SELECT r.`event_id` AS `event_id`, r.`subject` AS `subject`, r.`occurred_at` AS `occurred_at`, r.`recorded_at` AS `recorded_at`, r.`source` AS `source`, r.`source_seq` AS `source_seq`, r.`kind` AS `kind`, r.`inspection_id` AS `inspection_id`, r.`oblast` AS `oblast`, r.`employer` AS `employer`, r.`sector` AS `sector`, r.`address_key` AS `address_key`, r.`occurred_on` AS `occurred_on`, r.`topic` AS `topic`, r.`partition` AS `partition`, r.`offset` AS `offset`, r.`received_at` AS `received_at`
FROM
(
    SELECT * FROM raw_inspection
    WHERE (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM dead_letters)
    ORDER BY subject, event_id, recorded_at, topic, partition, offset
    LIMIT 1 BY subject, event_id
) AS r
LEFT JOIN core_withdrawals AS w ON w.subject = r.subject AND w.event_id = r.event_id
WHERE w.withdrawn = 0 OR (r.recorded_at, toString(r.event_id)) >= (w.withdrawn_at, toString(w.withdrawn_by))
COMMENT 'Facts that count, each once: A person seen inside the country by an officer. Published by the migration service and labour inspectors.';

CREATE OR REPLACE VIEW core_protection_status /*cluster*/
(
    `event_id` UUID COMMENT 'Identity of the fact, a UUID given by the publisher. The same fact sent again carries the same id, so that repeats do no harm.',
    `subject` String COMMENT 'The person the fact is about: a pseudonym p<key version>-<32 hexadecimal digits>, HMAC-SHA-256 under a versioned key. Never a name or a document number. Also the Kafka message key.',
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened: UTC, milliseconds since 1970-01-01. Filled by the source; not more than 24 hours after the message arrives.',
    `recorded_at` DateTime64(3, 'UTC') COMMENT 'When the source wrote it down: UTC, milliseconds since 1970-01-01. Between occurred_at and this lies the lateness of the source.',
    `source` LowCardinality(String) COMMENT 'The publishing system, at most 64 characters, e.g. post:KZ-75-A1 or register:permits. Never a person. Filled by the publisher.',
    `source_seq` Int64 COMMENT 'Number of this event at its source, counting from 1 without gaps: a hole shows a lost event. Filled by the publisher.',
    `kind` LowCardinality(String) COMMENT 'asylum_applied, asylum_recognised, asylum_refused: steps of an asylum procedure; appeal_filed, appeal_upheld (the person won), appeal_dismissed: steps of an appeal; trafficking_victim: identified, or presumed to be one; minor: a child; status_ended: closes the status named by protection_id.',
    `protection_id` UUID COMMENT 'The deciding authority\'s reference as a UUID; ties the steps of one procedure together.',
    `valid_until_on` Nullable(Date32) COMMENT 'Last day of the status (a minor\'s last day before majority): days since 1970-01-01. null: open-ended.',
    `occurred_on` Date32 COMMENT 'Local calendar day of occurred_at in the zone of the event\'s post or oblast (the country\'s where it names none).',
    `topic` LowCardinality(String) COMMENT 'Topic the record was read from.',
    `partition` Int32 COMMENT 'Partition of the topic.',
    `offset` Int64 COMMENT 'Offset in the partition: with topic and partition the identity of this delivery.',
    `received_at` DateTime64(3, 'UTC') COMMENT 'When the broker received the record (its timestamp): UTC.'
)
AS SELECT r.`event_id` AS `event_id`, r.`subject` AS `subject`, r.`occurred_at` AS `occurred_at`, r.`recorded_at` AS `recorded_at`, r.`source` AS `source`, r.`source_seq` AS `source_seq`, r.`kind` AS `kind`, r.`protection_id` AS `protection_id`, r.`valid_until_on` AS `valid_until_on`, r.`occurred_on` AS `occurred_on`, r.`topic` AS `topic`, r.`partition` AS `partition`, r.`offset` AS `offset`, r.`received_at` AS `received_at`
FROM
(
    SELECT * FROM raw_protection_status
    WHERE (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM dead_letters)
    ORDER BY subject, event_id, recorded_at, topic, partition, offset
    LIMIT 1 BY subject, event_id
) AS r
LEFT JOIN core_withdrawals AS w ON w.subject = r.subject AND w.event_id = r.event_id
WHERE w.withdrawn = 0 OR (r.recorded_at, toString(r.event_id)) >= (w.withdrawn_at, toString(w.withdrawn_by))
COMMENT 'Facts that count, each once: A step in a person\'s protection: while a status lasts, every road to removal is blocked. Published by the authorities for asylum, courts, and services for victims and minors.';

CREATE OR REPLACE VIEW core_residence_change /*cluster*/
(
    `event_id` UUID COMMENT 'Identity of the fact, a UUID given by the publisher. The same fact sent again carries the same id, so that repeats do no harm.',
    `subject` String COMMENT 'The person the fact is about: a pseudonym p<key version>-<32 hexadecimal digits>, HMAC-SHA-256 under a versioned key. Never a name or a document number. Also the Kafka message key.',
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened: UTC, milliseconds since 1970-01-01. Filled by the source; not more than 24 hours after the message arrives.',
    `recorded_at` DateTime64(3, 'UTC') COMMENT 'When the source wrote it down: UTC, milliseconds since 1970-01-01. Between occurred_at and this lies the lateness of the source.',
    `source` LowCardinality(String) COMMENT 'The publishing system, at most 64 characters, e.g. post:KZ-75-A1 or register:permits. Never a person. Filled by the publisher.',
    `source_seq` Int64 COMMENT 'Number of this event at its source, counting from 1 without gaps: a hole shows a lost event. Filled by the publisher.',
    `from_country` LowCardinality(String) COMMENT 'Country left: ISO 3166-1 alpha-3 or an ICAO 9303 special code (policy: countries). KAZ with another to_country is a departure.',
    `to_country` LowCardinality(String) COMMENT 'Country moved to: ISO 3166-1 alpha-3 or an ICAO 9303 special code (policy: countries). KAZ on both sides is internal migration.',
    `from_oblast` LowCardinality(Nullable(String)) COMMENT 'Oblast left, ISO 3166-2:KZ code, e.g. KZ-75 (policy: oblasts.yaml). Required where from_country is KAZ, null otherwise.',
    `to_oblast` LowCardinality(Nullable(String)) COMMENT 'Oblast moved to, ISO 3166-2:KZ code, e.g. KZ-75 (policy: oblasts.yaml). Required where to_country is KAZ, null otherwise.',
    `moved_on` Date32 COMMENT 'The day the change takes effect: days since 1970-01-01.',
    `occurred_on` Date32 COMMENT 'Local calendar day of occurred_at in the zone of the event\'s post or oblast (the country\'s where it names none).',
    `topic` LowCardinality(String) COMMENT 'Topic the record was read from.',
    `partition` Int32 COMMENT 'Partition of the topic.',
    `offset` Int64 COMMENT 'Offset in the partition: with topic and partition the identity of this delivery.',
    `received_at` DateTime64(3, 'UTC') COMMENT 'When the broker received the record (its timestamp): UTC.'
)
AS SELECT r.`event_id` AS `event_id`, r.`subject` AS `subject`, r.`occurred_at` AS `occurred_at`, r.`recorded_at` AS `recorded_at`, r.`source` AS `source`, r.`source_seq` AS `source_seq`, r.`from_country` AS `from_country`, r.`to_country` AS `to_country`, r.`from_oblast` AS `from_oblast`, r.`to_oblast` AS `to_oblast`, r.`moved_on` AS `moved_on`, r.`occurred_on` AS `occurred_on`, r.`topic` AS `topic`, r.`partition` AS `partition`, r.`offset` AS `offset`, r.`received_at` AS `received_at`
FROM
(
    SELECT * FROM raw_residence_change
    WHERE (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM dead_letters)
    ORDER BY subject, event_id, recorded_at, topic, partition, offset
    LIMIT 1 BY subject, event_id
) AS r
LEFT JOIN core_withdrawals AS w ON w.subject = r.subject AND w.event_id = r.event_id
WHERE w.withdrawn = 0 OR (r.recorded_at, toString(r.event_id)) >= (w.withdrawn_at, toString(w.withdrawn_by))
COMMENT 'Facts that count, each once: A change of permanent residence: the unit of the migration balance. Published by the population register.';

CREATE OR REPLACE VIEW core_kandas /*cluster*/
(
    `event_id` UUID COMMENT 'Identity of the fact, a UUID given by the publisher. The same fact sent again carries the same id, so that repeats do no harm.',
    `subject` String COMMENT 'The person the fact is about: a pseudonym p<key version>-<32 hexadecimal digits>, HMAC-SHA-256 under a versioned key. Never a name or a document number. Also the Kafka message key.',
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened: UTC, milliseconds since 1970-01-01. Filled by the source; not more than 24 hours after the message arrives.',
    `recorded_at` DateTime64(3, 'UTC') COMMENT 'When the source wrote it down: UTC, milliseconds since 1970-01-01. Between occurred_at and this lies the lateness of the source.',
    `source` LowCardinality(String) COMMENT 'The publishing system, at most 64 characters, e.g. post:KZ-75-A1 or register:permits. Never a person. Filled by the publisher.',
    `source_seq` Int64 COMMENT 'Number of this event at its source, counting from 1 without gaps: a hole shows a lost event. Filled by the publisher.',
    `kind` LowCardinality(String) COMMENT 'applied; granted or refused: the decision; arrived: the family has come; centre_admitted and centre_completed: the adaptation centre\'s steps.',
    `family_id` UUID COMMENT 'One family, as a UUID; one family applies together.',
    `family_size` Int32 COMMENT 'People in the family, counting the applicant: 1 or more.',
    `from_country` LowCardinality(String) COMMENT 'Country of origin: ISO 3166-1 alpha-3 or an ICAO 9303 special code (policy: countries).',
    `oblast` LowCardinality(String) COMMENT 'Oblast of settlement: ISO 3166-2:KZ code, e.g. KZ-75 (policy: oblasts.yaml).',
    `in_quota` Bool COMMENT 'Whether the family counts against the regional quota.',
    `occurred_on` Date32 COMMENT 'Local calendar day of occurred_at in the zone of the event\'s post or oblast (the country\'s where it names none).',
    `topic` LowCardinality(String) COMMENT 'Topic the record was read from.',
    `partition` Int32 COMMENT 'Partition of the topic.',
    `offset` Int64 COMMENT 'Offset in the partition: with topic and partition the identity of this delivery.',
    `received_at` DateTime64(3, 'UTC') COMMENT 'When the broker received the record (its timestamp): UTC.'
)
AS SELECT r.`event_id` AS `event_id`, r.`subject` AS `subject`, r.`occurred_at` AS `occurred_at`, r.`recorded_at` AS `recorded_at`, r.`source` AS `source`, r.`source_seq` AS `source_seq`, r.`kind` AS `kind`, r.`family_id` AS `family_id`, r.`family_size` AS `family_size`, r.`from_country` AS `from_country`, r.`oblast` AS `oblast`, r.`in_quota` AS `in_quota`, r.`occurred_on` AS `occurred_on`, r.`topic` AS `topic`, r.`partition` AS `partition`, r.`offset` AS `offset`, r.`received_at` AS `received_at`
FROM
(
    SELECT * FROM raw_kandas
    WHERE (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM dead_letters)
    ORDER BY subject, event_id, recorded_at, topic, partition, offset
    LIMIT 1 BY subject, event_id
) AS r
LEFT JOIN core_withdrawals AS w ON w.subject = r.subject AND w.event_id = r.event_id
WHERE w.withdrawn = 0 OR (r.recorded_at, toString(r.event_id)) >= (w.withdrawn_at, toString(w.withdrawn_by))
COMMENT 'Facts that count, each once: A step of an ethnic returnee (oralman, today kandas). Published by the regional employment authorities.';

CREATE OR REPLACE VIEW core_identity_link /*cluster*/
(
    `event_id` UUID COMMENT 'Identity of the fact, a UUID given by the publisher. The same fact sent again carries the same id, so that repeats do no harm.',
    `subject` String COMMENT 'The person the fact is about: a pseudonym p<key version>-<32 hexadecimal digits>, HMAC-SHA-256 under a versioned key. Never a name or a document number. Also the Kafka message key.',
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened: UTC, milliseconds since 1970-01-01. Filled by the source; not more than 24 hours after the message arrives.',
    `recorded_at` DateTime64(3, 'UTC') COMMENT 'When the source wrote it down: UTC, milliseconds since 1970-01-01. Between occurred_at and this lies the lateness of the source.',
    `source` LowCardinality(String) COMMENT 'The publishing system, at most 64 characters, e.g. post:KZ-75-A1 or register:permits. Never a person. Filled by the publisher.',
    `source_seq` Int64 COMMENT 'Number of this event at its source, counting from 1 without gaps: a hole shows a lost event. Filled by the publisher.',
    `kind` LowCardinality(String) COMMENT 'linked or unlinked.',
    `link_id` UUID COMMENT 'Ties a link and its undoing together, a UUID.',
    `other_subject` String COMMENT 'The other pseudonym: p<key version>-<32 hexadecimal digits>; not the subject itself.',
    `reason` LowCardinality(String) COMMENT 'new_document: a renewed document; second_citizenship; key_rotation: the same document under a newer key; officer_decision.',
    `occurred_on` Date32 COMMENT 'Local calendar day of occurred_at in the zone of the event\'s post or oblast (the country\'s where it names none).',
    `topic` LowCardinality(String) COMMENT 'Topic the record was read from.',
    `partition` Int32 COMMENT 'Partition of the topic.',
    `offset` Int64 COMMENT 'Offset in the partition: with topic and partition the identity of this delivery.',
    `received_at` DateTime64(3, 'UTC') COMMENT 'When the broker received the record (its timestamp): UTC.'
)
AS SELECT r.`event_id` AS `event_id`, r.`subject` AS `subject`, r.`occurred_at` AS `occurred_at`, r.`recorded_at` AS `recorded_at`, r.`source` AS `source`, r.`source_seq` AS `source_seq`, r.`kind` AS `kind`, r.`link_id` AS `link_id`, r.`other_subject` AS `other_subject`, r.`reason` AS `reason`, r.`occurred_on` AS `occurred_on`, r.`topic` AS `topic`, r.`partition` AS `partition`, r.`offset` AS `offset`, r.`received_at` AS `received_at`
FROM
(
    SELECT * FROM raw_identity_link
    WHERE (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM dead_letters)
    ORDER BY subject, event_id, recorded_at, topic, partition, offset
    LIMIT 1 BY subject, event_id
) AS r
LEFT JOIN core_withdrawals AS w ON w.subject = r.subject AND w.event_id = r.event_id
WHERE w.withdrawn = 0 OR (r.recorded_at, toString(r.event_id)) >= (w.withdrawn_at, toString(w.withdrawn_by))
COMMENT 'Facts that count, each once: Two pseudonyms are one person, or are no longer held to be. Published by whoever may link identities: the pseudonym service and officers.';

CREATE OR REPLACE VIEW core_entry_ban /*cluster*/
(
    `event_id` UUID COMMENT 'Identity of the fact, a UUID given by the publisher. The same fact sent again carries the same id, so that repeats do no harm.',
    `subject` String COMMENT 'The person the fact is about: a pseudonym p<key version>-<32 hexadecimal digits>, HMAC-SHA-256 under a versioned key. Never a name or a document number. Also the Kafka message key.',
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened: UTC, milliseconds since 1970-01-01. Filled by the source; not more than 24 hours after the message arrives.',
    `recorded_at` DateTime64(3, 'UTC') COMMENT 'When the source wrote it down: UTC, milliseconds since 1970-01-01. Between occurred_at and this lies the lateness of the source.',
    `source` LowCardinality(String) COMMENT 'The publishing system, at most 64 characters, e.g. post:KZ-75-A1 or register:permits. Never a person. Filled by the publisher.',
    `source_seq` Int64 COMMENT 'Number of this event at its source, counting from 1 without gaps: a hole shows a lost event. Filled by the publisher.',
    `kind` LowCardinality(String) COMMENT 'imposed or lifted.',
    `ban_id` UUID COMMENT 'The deciding authority\'s reference as a UUID; ties imposing and lifting together.',
    `ground` LowCardinality(String) COMMENT 'Why it was imposed.',
    `from_on` Date32 COMMENT 'First day of the ban: days since 1970-01-01.',
    `until_on` Nullable(Date32) COMMENT 'Last day of the ban, itself included: days since 1970-01-01. null: without a term.',
    `occurred_on` Date32 COMMENT 'Local calendar day of occurred_at in the zone of the event\'s post or oblast (the country\'s where it names none).',
    `topic` LowCardinality(String) COMMENT 'Topic the record was read from.',
    `partition` Int32 COMMENT 'Partition of the topic.',
    `offset` Int64 COMMENT 'Offset in the partition: with topic and partition the identity of this delivery.',
    `received_at` DateTime64(3, 'UTC') COMMENT 'When the broker received the record (its timestamp): UTC.'
)
AS SELECT r.`event_id` AS `event_id`, r.`subject` AS `subject`, r.`occurred_at` AS `occurred_at`, r.`recorded_at` AS `recorded_at`, r.`source` AS `source`, r.`source_seq` AS `source_seq`, r.`kind` AS `kind`, r.`ban_id` AS `ban_id`, r.`ground` AS `ground`, r.`from_on` AS `from_on`, r.`until_on` AS `until_on`, r.`occurred_on` AS `occurred_on`, r.`topic` AS `topic`, r.`partition` AS `partition`, r.`offset` AS `offset`, r.`received_at` AS `received_at`
FROM
(
    SELECT * FROM raw_entry_ban
    WHERE (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM dead_letters)
    ORDER BY subject, event_id, recorded_at, topic, partition, offset
    LIMIT 1 BY subject, event_id
) AS r
LEFT JOIN core_withdrawals AS w ON w.subject = r.subject AND w.event_id = r.event_id
WHERE w.withdrawn = 0 OR (r.recorded_at, toString(r.event_id)) >= (w.withdrawn_at, toString(w.withdrawn_by))
COMMENT 'Facts that count, each once: A ban on entry, imposed or lifted. Published by courts and the authorities that may impose one.';

CREATE OR REPLACE VIEW core_correction /*cluster*/
(
    `event_id` UUID COMMENT 'Identity of the fact, a UUID given by the publisher. The same fact sent again carries the same id, so that repeats do no harm.',
    `subject` String COMMENT 'The person the fact is about: a pseudonym p<key version>-<32 hexadecimal digits>, HMAC-SHA-256 under a versioned key. Never a name or a document number. Also the Kafka message key.',
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened: UTC, milliseconds since 1970-01-01. Filled by the source; not more than 24 hours after the message arrives.',
    `recorded_at` DateTime64(3, 'UTC') COMMENT 'When the source wrote it down: UTC, milliseconds since 1970-01-01. Between occurred_at and this lies the lateness of the source.',
    `source` LowCardinality(String) COMMENT 'The publishing system, at most 64 characters, e.g. post:KZ-75-A1 or register:permits. Never a person. Filled by the publisher.',
    `source_seq` Int64 COMMENT 'Number of this event at its source, counting from 1 without gaps: a hole shows a lost event. Filled by the publisher.',
    `supersedes` UUID COMMENT 'The event_id that no longer counts.',
    `replacement` Nullable(UUID) COMMENT 'The event_id of the event that takes its place. null: it simply was wrong.',
    `reason` LowCardinality(String) COMMENT 'data_entry: typed wrongly; wrong_person; duplicate; clock: the source\'s clock was wrong; court: a court\'s decision; other.',
    `occurred_on` Date32 COMMENT 'Local calendar day of occurred_at in the zone of the event\'s post or oblast (the country\'s where it names none).',
    `topic` LowCardinality(String) COMMENT 'Topic the record was read from.',
    `partition` Int32 COMMENT 'Partition of the topic.',
    `offset` Int64 COMMENT 'Offset in the partition: with topic and partition the identity of this delivery.',
    `received_at` DateTime64(3, 'UTC') COMMENT 'When the broker received the record (its timestamp): UTC.'
)
AS SELECT r.`event_id` AS `event_id`, r.`subject` AS `subject`, r.`occurred_at` AS `occurred_at`, r.`recorded_at` AS `recorded_at`, r.`source` AS `source`, r.`source_seq` AS `source_seq`, r.`supersedes` AS `supersedes`, r.`replacement` AS `replacement`, r.`reason` AS `reason`, r.`occurred_on` AS `occurred_on`, r.`topic` AS `topic`, r.`partition` AS `partition`, r.`offset` AS `offset`, r.`received_at` AS `received_at`
FROM
(
    SELECT * FROM raw_correction
    WHERE (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM dead_letters)
    ORDER BY subject, event_id, recorded_at, topic, partition, offset
    LIMIT 1 BY subject, event_id
) AS r
COMMENT 'Facts that count, each once: Withdraws an earlier event of the same subject; the right data, if there are any, come as a new event of their own. A correction takes effect on any event that is smaller by (recorded_at, event_id), a correction included.';

CREATE OR REPLACE VIEW core_dispute /*cluster*/
(
    `event_id` UUID COMMENT 'Identity of the fact, a UUID given by the publisher. The same fact sent again carries the same id, so that repeats do no harm.',
    `subject` String COMMENT 'The person the fact is about: a pseudonym p<key version>-<32 hexadecimal digits>, HMAC-SHA-256 under a versioned key. Never a name or a document number. Also the Kafka message key.',
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened: UTC, milliseconds since 1970-01-01. Filled by the source; not more than 24 hours after the message arrives.',
    `recorded_at` DateTime64(3, 'UTC') COMMENT 'When the source wrote it down: UTC, milliseconds since 1970-01-01. Between occurred_at and this lies the lateness of the source.',
    `source` LowCardinality(String) COMMENT 'The publishing system, at most 64 characters, e.g. post:KZ-75-A1 or register:permits. Never a person. Filled by the publisher.',
    `source_seq` Int64 COMMENT 'Number of this event at its source, counting from 1 without gaps: a hole shows a lost event. Filled by the publisher.',
    `kind` LowCardinality(String) COMMENT 'opened; upheld: the person was right; rejected: the record stands.',
    `dispute_id` UUID COMMENT 'Ties opening and decision together, a UUID.',
    `disputed_event` Nullable(UUID) COMMENT 'The event_id in doubt. null where an alert as a whole is.',
    `alert_id` Nullable(UUID) COMMENT 'The alert_id in doubt. null where an event is. One of the two is required when a dispute is opened.',
    `occurred_on` Date32 COMMENT 'Local calendar day of occurred_at in the zone of the event\'s post or oblast (the country\'s where it names none).',
    `topic` LowCardinality(String) COMMENT 'Topic the record was read from.',
    `partition` Int32 COMMENT 'Partition of the topic.',
    `offset` Int64 COMMENT 'Offset in the partition: with topic and partition the identity of this delivery.',
    `received_at` DateTime64(3, 'UTC') COMMENT 'When the broker received the record (its timestamp): UTC.'
)
AS SELECT r.`event_id` AS `event_id`, r.`subject` AS `subject`, r.`occurred_at` AS `occurred_at`, r.`recorded_at` AS `recorded_at`, r.`source` AS `source`, r.`source_seq` AS `source_seq`, r.`kind` AS `kind`, r.`dispute_id` AS `dispute_id`, r.`disputed_event` AS `disputed_event`, r.`alert_id` AS `alert_id`, r.`occurred_on` AS `occurred_on`, r.`topic` AS `topic`, r.`partition` AS `partition`, r.`offset` AS `offset`, r.`received_at` AS `received_at`
FROM
(
    SELECT * FROM raw_dispute
    WHERE (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM dead_letters)
    ORDER BY subject, event_id, recorded_at, topic, partition, offset
    LIMIT 1 BY subject, event_id
) AS r
LEFT JOIN core_withdrawals AS w ON w.subject = r.subject AND w.event_id = r.event_id
WHERE w.withdrawn = 0 OR (r.recorded_at, toString(r.event_id)) >= (w.withdrawn_at, toString(w.withdrawn_by))
COMMENT 'Facts that count, each once: The person, or someone for them, says that a record is wrong: presumptions rest until it is decided.';

CREATE OR REPLACE VIEW core_case_decision /*cluster*/
(
    `event_id` UUID COMMENT 'Identity of the fact, a UUID given by the publisher. The same fact sent again carries the same id, so that repeats do no harm.',
    `subject` String COMMENT 'The person the fact is about: a pseudonym p<key version>-<32 hexadecimal digits>, HMAC-SHA-256 under a versioned key. Never a name or a document number. Also the Kafka message key.',
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened: UTC, milliseconds since 1970-01-01. Filled by the source; not more than 24 hours after the message arrives.',
    `recorded_at` DateTime64(3, 'UTC') COMMENT 'When the source wrote it down: UTC, milliseconds since 1970-01-01. Between occurred_at and this lies the lateness of the source.',
    `source` LowCardinality(String) COMMENT 'The publishing system, at most 64 characters, e.g. post:KZ-75-A1 or register:permits. Never a person. Filled by the publisher.',
    `source_seq` Int64 COMMENT 'Number of this event at its source, counting from 1 without gaps: a hole shows a lost event. Filled by the publisher.',
    `case_id` UUID COMMENT 'The case, as in the case\'s own records.',
    `decision` LowCardinality(String) COMMENT 'What was decided. A referral for removal exists only when referral_proposed and referral_confirmed come from two different officers.',
    `officer` String COMMENT 'The officer\'s pseudonym; not empty.',
    `reason` String COMMENT 'The reason in the officer\'s words: required, at most 2000 characters, no personal data.',
    `alert_id` Nullable(UUID) COMMENT 'The alert it is about. null: the whole case.',
    `occurred_on` Date32 COMMENT 'Local calendar day of occurred_at in the zone of the event\'s post or oblast (the country\'s where it names none).',
    `topic` LowCardinality(String) COMMENT 'Topic the record was read from.',
    `partition` Int32 COMMENT 'Partition of the topic.',
    `offset` Int64 COMMENT 'Offset in the partition: with topic and partition the identity of this delivery.',
    `received_at` DateTime64(3, 'UTC') COMMENT 'When the broker received the record (its timestamp): UTC.'
)
AS SELECT r.`event_id` AS `event_id`, r.`subject` AS `subject`, r.`occurred_at` AS `occurred_at`, r.`recorded_at` AS `recorded_at`, r.`source` AS `source`, r.`source_seq` AS `source_seq`, r.`case_id` AS `case_id`, r.`decision` AS `decision`, r.`officer` AS `officer`, r.`reason` AS `reason`, r.`alert_id` AS `alert_id`, r.`occurred_on` AS `occurred_on`, r.`topic` AS `topic`, r.`partition` AS `partition`, r.`offset` AS `offset`, r.`received_at` AS `received_at`
FROM
(
    SELECT * FROM raw_case_decision
    WHERE (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM dead_letters)
    ORDER BY subject, event_id, recorded_at, topic, partition, offset
    LIMIT 1 BY subject, event_id
) AS r
LEFT JOIN core_withdrawals AS w ON w.subject = r.subject AND w.event_id = r.event_id
WHERE w.withdrawn = 0 OR (r.recorded_at, toString(r.event_id)) >= (w.withdrawn_at, toString(w.withdrawn_by))
COMMENT 'Facts that count, each once: One officer\'s decision on one case. The stream only carries it; no machine decides.';

CREATE OR REPLACE VIEW core_tick /*cluster*/
(
    `event_id` UUID COMMENT 'Identity of the fact, a UUID given by the publisher. The same fact sent again carries the same id, so that repeats do no harm.',
    `subject` String COMMENT 'Name of the clock that writes the ticks, e.g. clock. Ticks go to every partition of the people topic.',
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'The time: UTC, milliseconds since 1970-01-01. The log\'s clock never goes back.',
    `recorded_at` DateTime64(3, 'UTC') COMMENT 'When the source wrote it down: UTC, milliseconds since 1970-01-01. Between occurred_at and this lies the lateness of the source.',
    `source` LowCardinality(String) COMMENT 'The publishing system, at most 64 characters, e.g. post:KZ-75-A1 or register:permits. Never a person. Filled by the publisher.',
    `source_seq` Int64 COMMENT 'Number of this event at its source, counting from 1 without gaps: a hole shows a lost event. Filled by the publisher.',
    `complete_through_at` DateTime64(3, 'UTC') COMMENT 'Every active post\'s crossings before this instant (UTC, milliseconds since 1970-01-01) have been published, but for the gaps.',
    `gaps` Array(Tuple(post String, from_at DateTime64(3, 'UTC'), until_at Nullable(DateTime64(3, 'UTC')))) COMMENT 'The times not covered before complete_through_at, and those that still last.',
    `occurred_on` Date32 COMMENT 'Local calendar day of occurred_at in the zone of the event\'s post or oblast (the country\'s where it names none).',
    `topic` LowCardinality(String) COMMENT 'Topic the record was read from.',
    `partition` Int32 COMMENT 'Partition of the topic.',
    `offset` Int64 COMMENT 'Offset in the partition: with topic and partition the identity of this delivery.',
    `received_at` DateTime64(3, 'UTC') COMMENT 'When the broker received the record (its timestamp): UTC.'
)
AS SELECT r.`event_id` AS `event_id`, r.`subject` AS `subject`, r.`occurred_at` AS `occurred_at`, r.`recorded_at` AS `recorded_at`, r.`source` AS `source`, r.`source_seq` AS `source_seq`, r.`complete_through_at` AS `complete_through_at`, r.`gaps` AS `gaps`, r.`occurred_on` AS `occurred_on`, r.`topic` AS `topic`, r.`partition` AS `partition`, r.`offset` AS `offset`, r.`received_at` AS `received_at`
FROM
(
    SELECT * FROM raw_tick
    WHERE (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM dead_letters)
    ORDER BY subject, event_id, recorded_at, topic, partition, offset
    LIMIT 1 BY subject, event_id
) AS r
COMMENT 'Facts that count, each once: Says what time it is, and how far every post\'s records are complete. Written by one clock to every partition of the people topic; the log\'s clock is the largest tick seen.';

CREATE OR REPLACE VIEW core_post_heartbeat /*cluster*/
(
    `event_id` UUID COMMENT 'Identity of the fact, a UUID given by the publisher. The same fact sent again carries the same id, so that repeats do no harm.',
    `subject` String COMMENT 'The border post\'s code (policy: posts.yaml). Also the Kafka message key.',
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened: UTC, milliseconds since 1970-01-01. Filled by the source; not more than 24 hours after the message arrives.',
    `recorded_at` DateTime64(3, 'UTC') COMMENT 'When the source wrote it down: UTC, milliseconds since 1970-01-01. Between occurred_at and this lies the lateness of the source.',
    `source` LowCardinality(String) COMMENT 'The publishing system, at most 64 characters, e.g. post:KZ-75-A1 or register:permits. Never a person. Filled by the publisher.',
    `source_seq` Int64 COMMENT 'Number of this event at its source, counting from 1 without gaps: a hole shows a lost event. Filled by the publisher.',
    `complete_through_at` DateTime64(3, 'UTC') COMMENT 'Every crossing before this instant (UTC, milliseconds since 1970-01-01) has been published.',
    `first_seq` Int64 COMMENT 'First source_seq of the crossings this heartbeat covers; 0 when there were none.',
    `last_seq` Int64 COMMENT 'Last source_seq covered; 0 when there were none.',
    `sent_count` Int64 COMMENT 'Crossings published since the previous heartbeat, 0 or more.',
    `occurred_on` Date32 COMMENT 'Local calendar day of occurred_at in the zone of the event\'s post or oblast (the country\'s where it names none).',
    `oblast` LowCardinality(String) COMMENT 'Oblast the post lay in on occurred_on, ISO 3166-2:KZ, from the policy\'s posts; empty if the post is not known.',
    `topic` LowCardinality(String) COMMENT 'Topic the record was read from.',
    `partition` Int32 COMMENT 'Partition of the topic.',
    `offset` Int64 COMMENT 'Offset in the partition: with topic and partition the identity of this delivery.',
    `received_at` DateTime64(3, 'UTC') COMMENT 'When the broker received the record (its timestamp): UTC.'
)
AS SELECT r.`event_id` AS `event_id`, r.`subject` AS `subject`, r.`occurred_at` AS `occurred_at`, r.`recorded_at` AS `recorded_at`, r.`source` AS `source`, r.`source_seq` AS `source_seq`, r.`complete_through_at` AS `complete_through_at`, r.`first_seq` AS `first_seq`, r.`last_seq` AS `last_seq`, r.`sent_count` AS `sent_count`, r.`occurred_on` AS `occurred_on`, r.`oblast` AS `oblast`, r.`topic` AS `topic`, r.`partition` AS `partition`, r.`offset` AS `offset`, r.`received_at` AS `received_at`
FROM
(
    SELECT * FROM raw_post_heartbeat
    WHERE (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM dead_letters)
    ORDER BY subject, event_id, recorded_at, topic, partition, offset
    LIMIT 1 BY subject, event_id
) AS r
COMMENT 'Facts that count, each once: A border post vouches that everything it saw up to an instant has been sent. Published by the post, at least every few minutes.';

CREATE OR REPLACE VIEW core_post_outage /*cluster*/
(
    `event_id` UUID COMMENT 'Identity of the fact, a UUID given by the publisher. The same fact sent again carries the same id, so that repeats do no harm.',
    `subject` String COMMENT 'The border post\'s code (policy: posts.yaml). Also the Kafka message key.',
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened: UTC, milliseconds since 1970-01-01. Filled by the source; not more than 24 hours after the message arrives.',
    `recorded_at` DateTime64(3, 'UTC') COMMENT 'When the source wrote it down: UTC, milliseconds since 1970-01-01. Between occurred_at and this lies the lateness of the source.',
    `source` LowCardinality(String) COMMENT 'The publishing system, at most 64 characters, e.g. post:KZ-75-A1 or register:permits. Never a person. Filled by the publisher.',
    `source_seq` Int64 COMMENT 'Number of this event at its source, counting from 1 without gaps: a hole shows a lost event. Filled by the publisher.',
    `outage_id` UUID COMMENT 'Ties the messages of one outage together, a UUID.',
    `kind` LowCardinality(String) COMMENT 'started, ended or backfilled.',
    `from_at` DateTime64(3, 'UTC') COMMENT 'First instant without records: UTC, milliseconds since 1970-01-01.',
    `until_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'First instant with records again: UTC, milliseconds since 1970-01-01. Required when ended or backfilled; null while it lasts.',
    `occurred_on` Date32 COMMENT 'Local calendar day of occurred_at in the zone of the event\'s post or oblast (the country\'s where it names none).',
    `oblast` LowCardinality(String) COMMENT 'Oblast the post lay in on occurred_on, ISO 3166-2:KZ, from the policy\'s posts; empty if the post is not known.',
    `topic` LowCardinality(String) COMMENT 'Topic the record was read from.',
    `partition` Int32 COMMENT 'Partition of the topic.',
    `offset` Int64 COMMENT 'Offset in the partition: with topic and partition the identity of this delivery.',
    `received_at` DateTime64(3, 'UTC') COMMENT 'When the broker received the record (its timestamp): UTC.'
)
AS SELECT r.`event_id` AS `event_id`, r.`subject` AS `subject`, r.`occurred_at` AS `occurred_at`, r.`recorded_at` AS `recorded_at`, r.`source` AS `source`, r.`source_seq` AS `source_seq`, r.`outage_id` AS `outage_id`, r.`kind` AS `kind`, r.`from_at` AS `from_at`, r.`until_at` AS `until_at`, r.`occurred_on` AS `occurred_on`, r.`oblast` AS `oblast`, r.`topic` AS `topic`, r.`partition` AS `partition`, r.`offset` AS `offset`, r.`received_at` AS `received_at`
FROM
(
    SELECT * FROM raw_post_outage
    WHERE (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM dead_letters)
    ORDER BY subject, event_id, recorded_at, topic, partition, offset
    LIMIT 1 BY subject, event_id
) AS r
COMMENT 'Facts that count, each once: A border post could not record (started), can again (ended), or has typed in what it missed (backfilled).';

CREATE OR REPLACE VIEW core_employer_declaration /*cluster*/
(
    `event_id` UUID COMMENT 'Identity of the fact, a UUID given by the publisher. The same fact sent again carries the same id, so that repeats do no harm.',
    `subject` String COMMENT 'The employer\'s pseudonym, e<key version>-<32 hexadecimal digits>. Also the Kafka message key.',
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened: UTC, milliseconds since 1970-01-01. Filled by the source; not more than 24 hours after the message arrives.',
    `recorded_at` DateTime64(3, 'UTC') COMMENT 'When the source wrote it down: UTC, milliseconds since 1970-01-01. Between occurred_at and this lies the lateness of the source.',
    `source` LowCardinality(String) COMMENT 'The publishing system, at most 64 characters, e.g. post:KZ-75-A1 or register:permits. Never a person. Filled by the publisher.',
    `source_seq` Int64 COMMENT 'Number of this event at its source, counting from 1 without gaps: a hole shows a lost event. Filled by the publisher.',
    `as_of_on` Date32 COMMENT 'The day the figures are of: days since 1970-01-01.',
    `oblast` LowCardinality(String) COMMENT 'Where: ISO 3166-2:KZ code, e.g. KZ-75 (policy: oblasts.yaml).',
    `sector` LowCardinality(String) COMMENT 'Economic activity: section letter A to U of the national classification of economic activities (policy: sectors).',
    `size` LowCardinality(String) COMMENT 'Size class of the enterprise.',
    `citizens_12` Int32 COMMENT 'Citizens of Kazakhstan employed in categories 1 and 2, persons.',
    `citizens_34` Int32 COMMENT 'Citizens of Kazakhstan employed in categories 3 and 4, persons.',
    `foreigners_12` Int32 COMMENT 'Foreigners employed on permits in categories 1 and 2, persons.',
    `foreigners_34` Int32 COMMENT 'Foreigners employed on permits in categories 3 and 4, persons.',
    `occurred_on` Date32 COMMENT 'Local calendar day of occurred_at in the zone of the event\'s post or oblast (the country\'s where it names none).',
    `topic` LowCardinality(String) COMMENT 'Topic the record was read from.',
    `partition` Int32 COMMENT 'Partition of the topic.',
    `offset` Int64 COMMENT 'Offset in the partition: with topic and partition the identity of this delivery.',
    `received_at` DateTime64(3, 'UTC') COMMENT 'When the broker received the record (its timestamp): UTC.'
)
AS SELECT r.`event_id` AS `event_id`, r.`subject` AS `subject`, r.`occurred_at` AS `occurred_at`, r.`recorded_at` AS `recorded_at`, r.`source` AS `source`, r.`source_seq` AS `source_seq`, r.`as_of_on` AS `as_of_on`, r.`oblast` AS `oblast`, r.`sector` AS `sector`, r.`size` AS `size`, r.`citizens_12` AS `citizens_12`, r.`citizens_34` AS `citizens_34`, r.`foreigners_12` AS `foreigners_12`, r.`foreigners_34` AS `foreigners_34`, r.`occurred_on` AS `occurred_on`, r.`topic` AS `topic`, r.`partition` AS `partition`, r.`offset` AS `offset`, r.`received_at` AS `received_at`
FROM
(
    SELECT * FROM raw_employer_declaration
    WHERE (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM dead_letters)
    ORDER BY subject, event_id, recorded_at, topic, partition, offset
    LIMIT 1 BY subject, event_id
) AS r
COMMENT 'Facts that count, each once: An employer\'s headcount, the denominator of the share of citizens. Published by the employment authorities.';

CREATE OR REPLACE VIEW core_quota_allocation /*cluster*/
(
    `event_id` UUID COMMENT 'Identity of the fact, a UUID given by the publisher. The same fact sent again carries the same id, so that repeats do no harm.',
    `subject` String COMMENT 'Name of the quota line, e.g. labour-2025-KZ-75. Lines of one quota share a key, so that their order is kept.',
    `occurred_at` DateTime64(3, 'UTC') COMMENT 'When it happened: UTC, milliseconds since 1970-01-01. Filled by the source; not more than 24 hours after the message arrives.',
    `recorded_at` DateTime64(3, 'UTC') COMMENT 'When the source wrote it down: UTC, milliseconds since 1970-01-01. Between occurred_at and this lies the lateness of the source.',
    `source` LowCardinality(String) COMMENT 'The publishing system, at most 64 characters, e.g. post:KZ-75-A1 or register:permits. Never a person. Filled by the publisher.',
    `source_seq` Int64 COMMENT 'Number of this event at its source, counting from 1 without gaps: a hole shows a lost event. Filled by the publisher.',
    `quota` LowCardinality(String) COMMENT 'labour: foreign labour; kandas: ethnic returnees.',
    `year` Int32 COMMENT 'Calendar year, e.g. 2025.',
    `version` Int32 COMMENT '1, 2, … within the year: quotas are re-allocated.',
    `oblast` LowCardinality(Nullable(String)) COMMENT 'ISO 3166-2:KZ code, e.g. KZ-75 (policy: oblasts.yaml). null: the whole country.',
    `category` LowCardinality(Nullable(String)) COMMENT 'Labour category: 1, 2, 3, 4 or seasonal. null: all.',
    `sector` LowCardinality(Nullable(String)) COMMENT 'section letter A to U of the national classification of economic activities (policy: sectors). null: all.',
    `persons` Int32 COMMENT 'People allowed, 0 or more.',
    `effective_on` Date32 COMMENT 'First day of this version: days since 1970-01-01.',
    `occurred_on` Date32 COMMENT 'Local calendar day of occurred_at in the zone of the event\'s post or oblast (the country\'s where it names none).',
    `topic` LowCardinality(String) COMMENT 'Topic the record was read from.',
    `partition` Int32 COMMENT 'Partition of the topic.',
    `offset` Int64 COMMENT 'Offset in the partition: with topic and partition the identity of this delivery.',
    `received_at` DateTime64(3, 'UTC') COMMENT 'When the broker received the record (its timestamp): UTC.'
)
AS SELECT r.`event_id` AS `event_id`, r.`subject` AS `subject`, r.`occurred_at` AS `occurred_at`, r.`recorded_at` AS `recorded_at`, r.`source` AS `source`, r.`source_seq` AS `source_seq`, r.`quota` AS `quota`, r.`year` AS `year`, r.`version` AS `version`, r.`oblast` AS `oblast`, r.`category` AS `category`, r.`sector` AS `sector`, r.`persons` AS `persons`, r.`effective_on` AS `effective_on`, r.`occurred_on` AS `occurred_on`, r.`topic` AS `topic`, r.`partition` AS `partition`, r.`offset` AS `offset`, r.`received_at` AS `received_at`
FROM
(
    SELECT * FROM raw_quota_allocation
    WHERE (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM dead_letters)
    ORDER BY subject, event_id, recorded_at, topic, partition, offset
    LIMIT 1 BY subject, event_id
) AS r
COMMENT 'Facts that count, each once: One line of a quota; a later version of the same line replaces the earlier from its effective day. Published by the ministry that allocates the quota.';

CREATE OR REPLACE VIEW alerts_now /*cluster*/
(
    `alert_id` UUID COMMENT '16 bytes of SHA-256 over (rule, subject, stay, deadline): facts only, so the same facts give the same id on any machine.',
    `version` Int32 COMMENT '1, 2, …: grows by one with every change of state or content; the largest holds now.',
    `subject` String COMMENT 'The person\'s pseudonym (or the employer\'s). Also the Kafka message key.',
    `rule` LowCardinality(String) COMMENT 'Name of the rule, e.g. overstay_visa_exempt (policy: rules).',
    `family` LowCardinality(String) COMMENT 'breach: a rule is, or is presumed to be, broken; protective: someone may need protection; reminder: a deadline is coming; data_quality: records contradict each other.',
    `state` LowCardinality(String) COMMENT 'raised; amended: its content changed; acknowledged: an officer has seen it; resolved: it was so and has ended; retracted: it was never so; expired: too old to act on.',
    `grade` LowCardinality(String) COMMENT 'How well it is known. established: the records are complete; presumed: rebuttable, silence of complete records; uncertain: records are missing.',
    `severity` LowCardinality(String) COMMENT 'From policy, never from a person\'s attributes.',
    `stay_on` Date32 COMMENT 'First day of the stay it belongs to: days since 1970-01-01; the key of the case.',
    `deadline_on` Date32 COMMENT 'Last lawful day, or the last day to act: days since 1970-01-01.',
    `first_day_on` Date32 COMMENT 'First day of the breach (for a reminder: the day that is coming): days since 1970-01-01.',
    `last_day_on` Nullable(Date32) COMMENT 'Last day of the breach: days since 1970-01-01. null while it lasts.',
    `days` Int32 COMMENT 'Days of breach so far; 0 for a reminder.',
    `group` LowCardinality(String) COMMENT 'Citizenship group of the policy, e.g. visa_exempt; never the citizenship itself.',
    `oblast` LowCardinality(String) COMMENT 'Where it belongs: ISO 3166-2:KZ code; empty if not known.',
    `post` LowCardinality(String) COMMENT 'Code of the border post of the entry; empty if not known.',
    `employer` String COMMENT 'Employer\'s pseudonym where work is concerned; empty otherwise.',
    `sector` LowCardinality(String) COMMENT 'Section letter of the economic activity where work is concerned; empty otherwise.',
    `article` LowCardinality(String) COMMENT 'The law article or Concept clause it rests on.',
    `policy_version` LowCardinality(String) COMMENT 'Which policy decided.',
    `options` Array(String) COMMENT 'Lawful options, in the order they must be considered.',
    `evidence` Array(UUID) COMMENT 'event_ids it rests on.',
    `reason` LowCardinality(String) COMMENT 'Why this version: e.g. raised, exit_seen, extension, correction, coverage, dispute.',
    `caused_by` UUID COMMENT 'event_id of the event that caused this version.',
    `caused_at` DateTime64(3, 'UTC') COMMENT 'The broker\'s timestamp of that event: UTC, milliseconds since 1970-01-01. Latency is measured from it.',
    `decided_at` DateTime64(3, 'UTC') COMMENT 'The log\'s clock when it was decided: UTC, milliseconds since 1970-01-01.',
    `log_partition` Int32 COMMENT 'Partition of the output topic this version stands in.',
    `log_offset` Int64 COMMENT 'Offset of this version in the output topic.',
    `received_at` DateTime64(3, 'UTC') COMMENT 'When the broker received this version (its timestamp): UTC.'
)
AS SELECT * FROM alerts
ORDER BY alert_id, version DESC, log_offset DESC
LIMIT 1 BY alert_id
COMMENT 'What holds now of every alert: its latest version.';

CREATE OR REPLACE VIEW findings_now /*cluster*/
(
    `alert_id` UUID COMMENT '16 bytes of SHA-256 over (rule, subject, stay, deadline): facts only, so the same facts give the same id on any machine.',
    `version` Int32 COMMENT '1, 2, …: grows by one with every change of state or content; the largest holds now.',
    `subject` String COMMENT 'The person\'s pseudonym (or the employer\'s). Also the Kafka message key.',
    `rule` LowCardinality(String) COMMENT 'Name of the rule, e.g. overstay_visa_exempt (policy: rules).',
    `family` LowCardinality(String) COMMENT 'breach: a rule is, or is presumed to be, broken; protective: someone may need protection; reminder: a deadline is coming; data_quality: records contradict each other.',
    `state` LowCardinality(String) COMMENT 'raised; amended: its content changed; acknowledged: an officer has seen it; resolved: it was so and has ended; retracted: it was never so; expired: too old to act on.',
    `grade` LowCardinality(String) COMMENT 'How well it is known. established: the records are complete; presumed: rebuttable, silence of complete records; uncertain: records are missing.',
    `severity` LowCardinality(String) COMMENT 'From policy, never from a person\'s attributes.',
    `stay_on` Date32 COMMENT 'First day of the stay it belongs to: days since 1970-01-01; the key of the case.',
    `deadline_on` Date32 COMMENT 'Last lawful day, or the last day to act: days since 1970-01-01.',
    `first_day_on` Date32 COMMENT 'First day of the breach (for a reminder: the day that is coming): days since 1970-01-01.',
    `last_day_on` Nullable(Date32) COMMENT 'Last day of the breach: days since 1970-01-01. null while it lasts.',
    `days` Int32 COMMENT 'Days of breach so far; 0 for a reminder.',
    `group` LowCardinality(String) COMMENT 'Citizenship group of the policy, e.g. visa_exempt; never the citizenship itself.',
    `oblast` LowCardinality(String) COMMENT 'Where it belongs: ISO 3166-2:KZ code; empty if not known.',
    `post` LowCardinality(String) COMMENT 'Code of the border post of the entry; empty if not known.',
    `employer` String COMMENT 'Employer\'s pseudonym where work is concerned; empty otherwise.',
    `sector` LowCardinality(String) COMMENT 'Section letter of the economic activity where work is concerned; empty otherwise.',
    `article` LowCardinality(String) COMMENT 'The law article or Concept clause it rests on.',
    `policy_version` LowCardinality(String) COMMENT 'Which policy decided.',
    `options` Array(String) COMMENT 'Lawful options, in the order they must be considered.',
    `evidence` Array(UUID) COMMENT 'event_ids it rests on.',
    `reason` LowCardinality(String) COMMENT 'Why this version: e.g. raised, exit_seen, extension, correction, coverage, dispute.',
    `caused_by` UUID COMMENT 'event_id of the event that caused this version.',
    `caused_at` DateTime64(3, 'UTC') COMMENT 'The broker\'s timestamp of that event: UTC, milliseconds since 1970-01-01. Latency is measured from it.',
    `decided_at` DateTime64(3, 'UTC') COMMENT 'The log\'s clock when it was decided: UTC, milliseconds since 1970-01-01.',
    `log_partition` Int32 COMMENT 'Partition of the output topic this version stands in.',
    `log_offset` Int64 COMMENT 'Offset of this version in the output topic.',
    `received_at` DateTime64(3, 'UTC') COMMENT 'When the broker received this version (its timestamp): UTC.'
)
AS SELECT * FROM findings
ORDER BY alert_id, version DESC, log_offset DESC
LIMIT 1 BY alert_id
COMMENT 'What holds now of every finding: its latest version.';

CREATE OR REPLACE VIEW cases_now /*cluster*/
(
    `case_id` UUID COMMENT '16 bytes of SHA-256 over (subject, stay): facts only.',
    `version` Int32 COMMENT '1, 2, …: grows by one with every change; the largest holds now.',
    `subject` String COMMENT 'The person\'s pseudonym. Also the Kafka message key.',
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
    `log_partition` Int32 COMMENT 'Partition of the output topic this version stands in.',
    `log_offset` Int64 COMMENT 'Offset of this version in the output topic.',
    `received_at` DateTime64(3, 'UTC') COMMENT 'When the broker received this version (its timestamp): UTC.'
)
AS SELECT * FROM cases
ORDER BY case_id, version DESC, log_offset DESC
LIMIT 1 BY case_id
COMMENT 'What holds now of every case: its latest version.';
