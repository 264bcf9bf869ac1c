-- Which border posts have been silent longest?
SELECT post, oblast, round(silent_hours, 1) AS silent_hours, outages, open_outages, round(uncovered_hours, 1) AS uncovered_hours
FROM mart_post_coverage
ORDER BY silent_hours DESC, post
LIMIT 20;
