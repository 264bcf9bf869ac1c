-- Which publishers write things down late, and which are incomplete?
SELECT l.source, l.events, round(l.median_recorded_hours, 2) AS median_h, round(l.p99_recorded_hours, 1) AS p99_h, l.over_a_day, c.missing, round(c.ratio, 4) AS complete
FROM mart_lateness_by_publisher AS l INNER JOIN mart_completeness_by_publisher AS c ON c.source = l.source
ORDER BY l.over_a_day DESC, c.missing DESC, l.source
LIMIT 20;
