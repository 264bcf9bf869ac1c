-- What share of arrivals was notified in time, by oblast?
SELECT oblast, sum(due) AS owed, sum(in_time) AS in_time, sum(late) AS late, sum(never) AS never, round(in_time / owed, 3) AS ratio
FROM mart_arrivals_notified
GROUP BY oblast
ORDER BY ratio, oblast;
