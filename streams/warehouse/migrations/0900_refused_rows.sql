-- A row ClickHouse does not take goes to the dead letters: the ledger counts it there, not among what was processed (ADR 0135).

CREATE OR REPLACE VIEW mart_ledger /*cluster*/
(
    `topic` LowCardinality(String) COMMENT 'Input topic.',
    `partition` Int32 COMMENT 'Partition.',
    `first_offset` Int64 COMMENT 'First offset the ledger covers.',
    `last_offset` Int64 COMMENT 'Last offset the ledger covers.',
    `produced` Int64 COMMENT 'Records in these offsets: all but transaction marks and compacted ones.',
    `processed` Int64 COMMENT 'Records the agents processed, without those whose row ClickHouse refused.',
    `dead_letters` Int64 COMMENT 'Records in the dead letters: those the agents put there, and those whose row ClickHouse refused.',
    `refused` Int64 COMMENT 'Of the dead letters, those whose row ClickHouse refused (code refused_by_warehouse).',
    `holes` Int64 COMMENT 'Offsets between the runs that no run covers: must be 0.',
    `repeats` Int64 COMMENT 'Offsets that more than one run covers: must be 0.',
    `held` Int64 COMMENT 'Of the produced, records the warehouse holds as event, dead letter or refused row.',
    `missing` Int64 COMMENT 'produced - held: what the warehouse has still to receive; 0 when the sink has caught up.',
    `balanced` Bool COMMENT 'produced = processed + dead_letters, without holes or repeats.'
)
AS
WITH
    runs AS
    (
        SELECT topic, partition, first_offset, last_offset, processed, dead_letters, skipped_offsets,
               lagInFrame(last_offset, 1, first_offset - 1) OVER
                   (PARTITION BY topic, partition ORDER BY first_offset, last_offset ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS before
        FROM batches FINAL
        WHERE NOT endsWith(topic, '.labour-links') -- what one agent writes for another is no input, and is not held here
    ),
    covered AS
    (
        SELECT topic, partition, min(first_offset) AS first, max(last_offset) AS last,
               sum(last_offset - first_offset + 1 - skipped_offsets) AS produced_sum,
               sum(processed) AS processed_sum, sum(dead_letters) AS dead_sum,
               sum(greatest(first_offset - before - 1, 0)) AS holes_sum, sum(greatest(before + 1 - first_offset, 0)) AS repeats_sum
        FROM runs GROUP BY topic, partition
    ),
    held_rows AS
    (
        SELECT d.topic AS topic, d.partition AS partition, uniqExact(d.offset) AS held_sum
        FROM core_deliveries AS d INNER JOIN covered AS c ON c.topic = d.topic AND c.partition = d.partition
        WHERE d.offset BETWEEN c.first AND c.last
        GROUP BY topic, partition
    ),
    refused_letters AS
    (
        SELECT l.topic AS topic, l.partition AS partition, uniqExact(l.offset) AS refused_sum
        FROM dead_letters AS l INNER JOIN covered AS c ON c.topic = l.topic AND c.partition = l.partition
        WHERE l.code = 'refused_by_warehouse' AND l.offset BETWEEN c.first AND c.last
        GROUP BY topic, partition
    )
SELECT
    c.topic AS topic,
    c.partition AS partition,
    c.first AS first_offset,
    c.last AS last_offset,
    c.produced_sum AS produced,
    c.processed_sum - toInt64(r.refused_sum) AS processed,
    c.dead_sum + toInt64(r.refused_sum) AS dead_letters,
    toInt64(r.refused_sum) AS refused,
    c.holes_sum AS holes,
    c.repeats_sum AS repeats,
    toInt64(h.held_sum) AS held,
    c.produced_sum - toInt64(h.held_sum) AS missing,
    CAST(c.produced_sum = c.processed_sum + c.dead_sum AND c.holes_sum = 0 AND c.repeats_sum = 0, 'Bool') AS balanced
FROM covered AS c
LEFT JOIN held_rows AS h ON h.topic = c.topic AND h.partition = c.partition
LEFT JOIN refused_letters AS r ON r.topic = c.topic AND r.partition = c.partition
COMMENT 'The ledger: for every input partition, produced = processed + dead letters, from the agents'' own records of their batches and the letters about rows ClickHouse refused.';
