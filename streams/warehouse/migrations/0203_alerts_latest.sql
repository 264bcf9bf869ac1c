-- The latest version of every alert, in the order of rules, kept by the sink (ADR 0054); alerts_now reads it.

CREATE TABLE IF NOT EXISTS alerts_latest /*cluster*/
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
    `received_at` DateTime64(3, 'UTC') COMMENT 'When the broker received this version (its timestamp): UTC.',
    `newest` UInt64 COMMENT 'version and log_offset as one number: the engine keeps the row with the greatest.'
)
ENGINE = /*replicated*/ReplacingMergeTree(newest)
ORDER BY (rule, alert_id)
COMMENT 'Latest version of every alert; older ones may be in it until parts are merged: ask alerts_now.';

CREATE OR REPLACE VIEW recomputed_alerts_now /*cluster*/
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
AS
SELECT * FROM alerts
ORDER BY alert_id, version DESC, log_offset DESC
LIMIT 1 BY alert_id
COMMENT 'What alerts_now must say, computed from every version: slow. What holds now of every alert: its latest version.';

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
AS
SELECT `alert_id`, `version`, `subject`, `rule`, `family`, `state`, `grade`, `severity`, `stay_on`, `deadline_on`, `first_day_on`, `last_day_on`, `days`, `group`, `oblast`, `post`, `employer`, `sector`, `article`, `policy_version`, `options`, `evidence`, `reason`, `caused_by`, `caused_at`, `decided_at`, `log_partition`, `log_offset`, `received_at` FROM alerts_latest FINAL
COMMENT 'What holds now of every alert: its latest version.';
