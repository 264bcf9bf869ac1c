-- People with a permit or contract of the period, by the sector of their latest.
SELECT cell, count() AS people
FROM
(
    SELECT subject, argMax(toString(sector), (occurred_at, toString(event_id))) AS cell
    FROM
    (
        SELECT subject, sector, occurred_at, occurred_on, event_id
        FROM core_work_permit WHERE kind IN ('issued', 'extended') AND permit_type <> 'household'
        UNION ALL
        SELECT subject, sector, occurred_at, occurred_on, event_id FROM core_labour_contract WHERE kind = 'concluded'
    )
    WHERE occurred_on BETWEEN toDate32('{first}') AND toDate32('{last}')
    GROUP BY subject
)
GROUP BY cell
