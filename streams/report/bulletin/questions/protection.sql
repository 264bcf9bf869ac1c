-- People by step of protection recorded in the period.
SELECT multiIf(kind = 'asylum_applied', 'asked', kind IN ('asylum_recognised', 'appeal_upheld'), 'granted', kind = 'trafficking_victim', 'trafficking', 'child') AS cell,
       uniqExact(subject) AS people
FROM core_protection_status
WHERE kind IN ('asylum_applied', 'asylum_recognised', 'appeal_upheld', 'trafficking_victim', 'minor')
  AND occurred_on BETWEEN toDate32('{first}') AND toDate32('{last}')
GROUP BY cell
