-- What the agents decide: every version of every alert, finding and case; dead letters; the ledger of batches.
-- Written by: python -m streams.warehouse.ddl raw <event type> …

CREATE TABLE IF NOT EXISTS alerts /*cluster*/
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
ENGINE = /*replicated*/ReplacingMergeTree(log_offset)
ORDER BY (alert_id, version)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'One version of one alert: a breach, or a sign that someone needs protection. A person looks at it; it is a rebuttable presumption, not a decision. Written by the agents.';

CREATE TABLE IF NOT EXISTS findings /*cluster*/
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
ENGINE = /*replicated*/ReplacingMergeTree(log_offset)
ORDER BY (alert_id, version)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'One version of one finding: a reminder before a breach, or a fault in the data. Nobody is suspected of anything. Written by the agents.';

CREATE TABLE IF NOT EXISTS cases /*cluster*/
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
ENGINE = /*replicated*/ReplacingMergeTree(log_offset)
ORDER BY (case_id, version)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'One version of the follow-up of one stay of one person. Written by the agents.';

CREATE TABLE IF NOT EXISTS dead_letters /*cluster*/
(
    `topic` LowCardinality(String) COMMENT 'Full name of the topic it came from.',
    `partition` Int32 COMMENT 'Partition it came from.',
    `offset` Int64 COMMENT 'Its offset there.',
    `timestamp_at` DateTime64(3, 'UTC') COMMENT 'The broker\'s timestamp: UTC, milliseconds since 1970-01-01.',
    `key` Nullable(String) COMMENT 'Its key, as it came. null: it had none.',
    `value` String COMMENT 'Its bytes, all of them.',
    `code` LowCardinality(String) COMMENT 'Machine-readable reason, e.g. unknown_schema, truncated, unknown_post, far_future (docs/events.md lists them).',
    `reason` String COMMENT 'What was expected, what came, where, and what to do next. No personal data.',
    `event_type` LowCardinality(String) COMMENT 'The event type if it could be told; empty otherwise.',
    `source` LowCardinality(String) COMMENT 'The publishing system if it could be told; empty otherwise.',
    `log_partition` Int32 COMMENT 'Partition of the output topic this version stands in.',
    `log_offset` Int64 COMMENT 'Offset of this version in the output topic.',
    `received_at` DateTime64(3, 'UTC') COMMENT 'When the broker received this version (its timestamp): UTC.'
)
ENGINE = /*replicated*/ReplacingMergeTree(log_offset)
ORDER BY (topic, partition, offset)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'A message that could not be processed: whole, and with a reason its publisher can act on. Written by the agents.';

CREATE TABLE IF NOT EXISTS batches /*cluster*/
(
    `topic` LowCardinality(String) COMMENT 'Full name of the source topic.',
    `partition` Int32 COMMENT 'Source partition.',
    `first_offset` Int64 COMMENT 'First offset of the run.',
    `last_offset` Int64 COMMENT 'Last offset of the run, itself included.',
    `processed` Int64 COMMENT 'Records processed.',
    `dead_letters` Int64 COMMENT 'Records sent to the dead letters.',
    `skipped_offsets` Int64 COMMENT 'Offsets in the run that held no record (transaction marks, compaction).',
    `decided_at` DateTime64(3, 'UTC') COMMENT 'Wall clock: UTC, milliseconds since 1970-01-01.',
    `log_partition` Int32 COMMENT 'Partition of the output topic this version stands in.',
    `log_offset` Int64 COMMENT 'Offset of this version in the output topic.',
    `received_at` DateTime64(3, 'UTC') COMMENT 'When the broker received this version (its timestamp): UTC.'
)
ENGINE = /*replicated*/ReplacingMergeTree(log_offset)
ORDER BY (topic, partition, first_offset, last_offset)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'One line of the ledger: an unbroken run of offsets and what became of each. Written by the agents.';

CREATE TABLE IF NOT EXISTS refused_rows /*cluster*/
(
    `topic` LowCardinality(String) COMMENT 'Topic of the record ClickHouse refused.',
    `partition` Int32 COMMENT 'Its partition.',
    `offset` Int64 COMMENT 'Its offset: the record itself is still in the log.',
    `event_type` LowCardinality(String) COMMENT 'Its event type.',
    `received_at` DateTime64(3, 'UTC') COMMENT 'When the broker received it: UTC.',
    `reason` String COMMENT 'What ClickHouse or the encoder said. No personal data.'
)
ENGINE = /*replicated*/ReplacingMergeTree()
ORDER BY (topic, partition, offset)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'Records that decoded but that ClickHouse did not take: found by halving the refused batch. Normally empty.';
