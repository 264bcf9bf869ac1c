-- Which quotas run out this year, and when?
SELECT quota, oblast, category, sector, allocated, used, pending, left, exhausted_on, earliest_on, latest_on
FROM mart_quota_cockpit
ORDER BY exhausted_on IS NULL, exhausted_on, quota, oblast, category, sector;
