-- Whose late or corrected records withdrew alerts?
SELECT source, alerts, round(median_late_hours, 1) AS median_late_hours
FROM mart_retractions_by_source
ORDER BY alerts DESC, source
LIMIT 20;
