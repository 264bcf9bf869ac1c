-- Foreigners by month, each once in a month.
SELECT formatDateTime(occurred_on, '%Y-%m') AS cell, uniqExact(subject) AS people
FROM core_border_crossing
WHERE direction = 'entry' AND citizenship <> 'KAZ' AND occurred_on BETWEEN toDate32('{first}') AND toDate32('{last}')
GROUP BY cell
