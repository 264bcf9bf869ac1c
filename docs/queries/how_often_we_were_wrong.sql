-- Which rules raised alerts that proved wrong, and how long did it take to withdraw them?
SELECT rule, alerts, retracted, round(ratio, 3) AS ratio, round(median_hours, 1) AS median_hours
FROM mart_retractions_by_rule
ORDER BY ratio DESC, rule;
