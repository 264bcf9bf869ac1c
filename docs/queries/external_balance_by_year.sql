-- The migration balance of the Concept and of our own events, side by side.
SELECT year, maxIf(balance, source LIKE 'Concept%') AS concept, maxIf(balance, source = 'events') AS events
FROM mart_external_balance
GROUP BY year
ORDER BY year;
