-- Kandas: applied, granted, arrived.
SELECT year, sumIf(people, kind = 'applied') AS applied, sumIf(people, kind = 'granted') AS granted, sumIf(people, kind = 'arrived') AS arrived
FROM mart_kandas
GROUP BY year
ORDER BY year;
