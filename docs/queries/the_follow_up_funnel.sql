-- From suspicion to the end: how many cases get there, and how fast?
SELECT stage, cases, round(median_days, 1) AS median_days, round(p90_days, 1) AS p90_days
FROM mart_follow_up_times
ORDER BY indexOf(['suspected', 'contacted', 'legalised', 'left', 'cleared', 'referred', 'removed'], stage);
