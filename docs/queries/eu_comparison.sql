-- The EU's set for one year after another.
SELECT year, sum(refused) AS refused_entry, sum(found) AS found_unlawfully_present, sum(ordered) AS ordered_to_leave, sum(returned) AS returned
FROM
(
    SELECT year, persons AS refused, 0 AS found, 0 AS ordered, 0 AS returned FROM mart_eu_refused_entry
    UNION ALL SELECT year, 0, persons, 0, 0 FROM mart_eu_found_unlawfully_present
    UNION ALL SELECT year, 0, 0, persons, 0 FROM mart_eu_ordered_to_leave
    UNION ALL SELECT year, 0, 0, 0, persons FROM mart_eu_returned
)
GROUP BY year
ORDER BY year;
