-- Asylum: applications, outcomes and the time to a decision.
SELECT a.year, a.applications, a.pending, a.recognised, a.refused, a.appealed, a.recognition_ratio, round(t.median_days, 1) AS median_days_to_refusal
FROM mart_asylum AS a LEFT JOIN (SELECT year, median_days FROM mart_asylum_times WHERE decision = 'refused') AS t ON t.year = a.year
ORDER BY a.year;
