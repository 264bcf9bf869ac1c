-- How long have open overstay alerts been open, and how sure are we of them?
SELECT age, sumIf(alerts, grade = 'established') AS established, sumIf(alerts, grade = 'presumed') AS no_exit_seen, sumIf(alerts, grade = 'uncertain') AS uncertain
FROM mart_overstays_by_age
GROUP BY band, age
ORDER BY band;
