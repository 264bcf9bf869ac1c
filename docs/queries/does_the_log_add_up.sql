-- Is every record accounted for?
SELECT topic, sum(produced) AS produced, sum(processed) AS processed, sum(dead_letters) AS dead_letters, min(balanced) AS balanced, sum(missing) AS missing
FROM mart_ledger
GROUP BY topic
ORDER BY topic;
