-- Foreigners who entered, each once, by their last entry of the period.
SELECT cell, count() AS people
FROM
(
    SELECT subject, argMax(toString(oblast), (occurred_at, toString(event_id))) AS cell
    FROM core_border_crossing
    WHERE direction = 'entry' AND citizenship <> 'KAZ' AND occurred_on BETWEEN toDate32('{first}') AND toDate32('{last}')
    GROUP BY subject
)
GROUP BY cell
