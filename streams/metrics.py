"""Every metric, once: its name, its labels, what it means and what to do when it moves.

No label ever holds anything about a person: topics, partitions, codes and rules only.
"""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

# When a counter began is of no use to anyone here, and doubles the page.
disable_created_metrics()  # type: ignore[no-untyped-call]

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_RECORDS = (1, 2, 5, 10, 50, 100, 500, 1_000, 2_000, 5_000, 10_000)

# The worker: what came in and what became of it. For every topic, produced = events + dead letters.
EVENTS = Counter("shekara_events", "Records processed, by source topic.", ["topic"])
"""Standing still while lag grows: the worker hangs; look at /livez and at the broker."""

DEAD_LETTERS = Counter(
    "shekara_dead_letters", "Messages sent to the dead letters, by source topic and reason.", ["topic", "code"]
)
"""Rising: a publisher sends what cannot be read; `shekara dead-letters list` says which and why."""

SIGNATURES = Counter(
    "shekara_signatures", "Events whose source's signatures are looked at, by outcome: good, or the fault's code.", ["outcome"]
)
"""unsigned of a lenient source: not to be made strict yet. bad_signature: something changes messages, or someone forges them."""

RULE_FAILURES = Counter(
    "shekara_rule_failures", "Times a rule raised an error on one record or deadline, by exception type.", ["error"]
)
"""Any increase is a bug of ours: the record is in the dead letters (code rule_failed); report it, fix, replay."""

ALERTS = Counter("shekara_alerts", "Versions of alerts written, by rule and state.", ["rule", "state"])
"""A jump of one rule: compare with the coverage of posts before believing it."""

FINDINGS = Counter("shekara_findings", "Versions of findings written, by rule and state.", ["rule", "state"])
"""Data-quality rules rising: a publisher sends contradictory records."""

CASES = Counter("shekara_cases", "Versions of cases written, by stage.", ["stage"])
"""For the follow-up's workload."""

BATCH_RECORDS = Histogram("shekara_batch_records", "Records in one batch.", ["topic"], buckets=_RECORDS)
"""Always at the limit: the worker is behind; look at lag."""

PROCESS_SECONDS = Histogram("shekara_process_seconds", "Time to decide one batch.", ["topic"], buckets=_SECONDS)
"""Grows with the batch; a rise at the same batch size means a slower rule or larger dossiers."""

CHECKPOINT_SECONDS = Histogram(
    "shekara_checkpoint_seconds", "Time of one batch's Kafka transaction.", ["topic"], buckets=_SECONDS
)
"""Over 0.25 s at low load: the broker's disk or replication is slow; alerts are late by as much."""

LAG = Gauge(
    "shekara_lag_records", "Committed records of the source partition that are not processed yet.", ["topic", "partition"]
)
"""Growing for minutes: start more workers (up to one for each partition)."""

LAST_COMMIT_AGE = Gauge(
    "shekara_last_commit_age_seconds", "Seconds since the last checkpoint while records wait; 0 when none wait."
)
"""Over a minute: stuck; /livez fails at its limit so that a supervisor restarts the worker."""

DEADLINES = Gauge("shekara_deadlines_pending", "Deadlines a tick has yet to reach.", ["topic", "partition"])
"""Grows with the people present; falling to 0 with people present means the index was not rebuilt."""

STATE_KEYS = Gauge("shekara_state_keys", "Keys in a partition's state: dossiers, for the person log.", ["topic", "partition"])
"""For sizing memory."""

RECOVERY_SECONDS = Gauge("shekara_recovery_seconds", "Time the last recovery of a partition took.", ["topic", "partition"])
"""The time alerts stand still after a restart."""

READ_AGAIN = Counter(
    "shekara_read_again", "Times a batch did not begin where the last one ended, and the partition was read again.", ["topic"]
)
"""Now and then around a rebalance: harmless. More: compare the topic with its replicas; a hole that stays stops the worker."""

LOG_TIME = Gauge("shekara_log_time_seconds", "The log's clock of a partition, UTC epoch seconds.", ["topic", "partition"])
"""Behind the wall clock by more than a few tick intervals: ticks are not written (is the posts partition owned?)."""

TICKS = Counter("shekara_ticks", "Tick records written to the person log by this worker, one a partition.")
"""Standing still with --ticks wall on every worker: no one owns the posts partition."""

OF_A_PARTITION = (LAG, STATE_KEYS, RECOVERY_SECONDS, DEADLINES, LOG_TIME)
"""What says how one partition stands, by topic and number: forgotten when the partition goes to another worker."""

# The warehouse: from the log to ClickHouse.
SINK_ROWS = Counter("shekara_sink_rows", "Rows ClickHouse has taken, by table.", ["table"])
"""Standing still while the topics grow: look at shekara_sink_retries and at the log of `shekara warehouse`."""

SINK_UNREADABLE = Counter(
    "shekara_sink_unreadable", "Messages that do not decode, by topic; the worker puts them in the dead letters.", ["topic"]
)
"""Should follow shekara_dead_letters; much less: the worker and the warehouse run different versions."""

SINK_REFUSED = Counter("shekara_sink_refused_rows", "Records that decode but ClickHouse does not take, by table.", ["table"])
"""Any increase is a bug of ours: they are in the dead letters (code refused_by_warehouse); mend the cause, then replay them."""

SINK_RETRIES = Counter("shekara_sink_retries", "Times a block was sent again because ClickHouse did not answer.", ["table"])
"""Rising: ClickHouse is down, overloaded or out of disk; nothing is lost, the log waits."""

SINK_INSERT_SECONDS = Histogram("shekara_sink_insert_seconds", "Time of one insert, by table.", ["table"], buckets=_SECONDS)
"""Over a second: the disk or the server is slow; look at the number of parts (system.parts)."""

SINK_WAITING_ROWS = Gauge("shekara_sink_waiting_rows", "Rows read from the log and not yet in ClickHouse.")
"""At the limit for minutes: ClickHouse is slower than the log."""

SINK_CAUGHT_UP = Gauge("shekara_sink_caught_up", "1 when everything in the assigned partitions is in ClickHouse, else 0.")
"""0 for long: the warehouse is behind; questions to it are answered from the past."""

SOURCE_MISSING = Gauge(
    "shekara_source_missing_numbers", "Numbers (source_seq) below a source's latest that never came, by source.", ["source"]
)
"""Above 0 and staying: events were lost on the way; `shekara reconcile` and mart_sequence_gaps name them. Ask for them again."""

SOURCE_REPEATS = Gauge(
    "shekara_source_repeated_messages", "Messages of the last hour that say again what was said, by source.", ["source"]
)
"""After a failed link some are lawful; many without end: the source never hears that its events arrived."""

SOURCE_LATE_SECONDS = Gauge(
    "shekara_source_late_seconds",
    "99th percentile of seconds from happening to arrival in the last hour, by source.",
    ["source"],
)
"""Grows while a link is down and events are typed in later: findings of that post are uncertain for as long."""

COUNTED_PEOPLE = Counter("shekara_counted_people", "People whose counts were computed anew because records about them arrived.")
"""Standing still while shekara_sink_rows grows: the marts answer from the past; look at shekara_counts_failed."""

COUNTS_FAILED = Counter("shekara_counts_failed", "Times the counts behind the marts could not be brought up to date.")
"""Rising: the log of `shekara warehouse` says why; nothing is lost, the next time makes up for it."""

COUNTING_SECONDS = Histogram("shekara_counting_seconds", "Time of bringing the counts up to date.", buckets=_SECONDS)
"""Over 10 s in normal running: more people are touched than the disk can read; the marts are that much older than the log."""

SQL_QUERIES = Counter(
    "shekara_sql_queries",
    "Queries to the read-only endpoint, by outcome: answered, refused, failed or unauthorised.",
    ["outcome"],
)
"""Unauthorised rising: someone tries tokens, or a client has an old one."""

# The gateway: events over HTTP.
GATEWAY_EVENTS = Counter("shekara_gateway_events", "Events callers sent, by what became of them.", ["status"])
"""Refused rising: a caller sends what the system would refuse; it has the reasons. Failed: Kafka does not acknowledge."""

GATEWAY_REQUESTS = Counter("shekara_gateway_requests", "Requests that publish, by HTTP status.", ["status"])
"""401 rising: someone tries tokens, or a caller has an old one. 429: a caller sends faster than it may, or Kafka is slow."""

GATEWAY_SECONDS = Histogram("shekara_gateway_seconds", "Time from request to answer, Kafka included.", buckets=_SECONDS)
"""Over a second at low load: look at the broker."""

GATEWAY_IN_FLIGHT = Gauge("shekara_gateway_in_flight", "Events handed to Kafka and not yet acknowledged.")
"""At its limit callers hear 429: the broker is slower than they are."""

EXCHANGE_MESSAGES = Counter("shekara_exchange_messages", "Messages told to agencies, by kind of record (table).", ["table"])
"""Standing still while alerts are raised: the exchange does not run, or no agency's entry takes them."""

# The edge: the spool beside a border post's program.
EDGE_WAITING = Gauge("shekara_edge_waiting_events", "Events in the spool that Kafka does not have yet.")
"""Growing while the link is up: the post records faster than the link carries."""

EDGE_OLDEST_SECONDS = Gauge("shekara_edge_oldest_seconds", "Age of the oldest event in the spool.")
"""How late this post's records are, at least."""

EDGE_LINK_UP = Gauge("shekara_edge_link_up", "1 if the last attempt to reach Kafka worked.")
"""0 for long: /v1/state says why."""

EDGE_DAMAGED = Gauge("shekara_edge_damaged_events", "Events whose bytes on disk were changed: kept aside, never sent.")
"""Any is worth a look at the disk, and at who has access to it."""

EDGE_CLOCK_AHEAD_SECONDS = Gauge("shekara_edge_clock_ahead_seconds", "How far this machine's clock is ahead of the broker's.")
"""More than a minute: set the clock; the times of crossings come from it."""
