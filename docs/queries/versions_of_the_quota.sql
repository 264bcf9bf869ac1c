-- How was the quota changed within the year, and how was each version used?
SELECT year, oblast, category, sector, version, effective_on, until_on, allocated, used, used_to_end
FROM mart_quota_use
WHERE quota = 'labour'
ORDER BY year, oblast, category, sector, version;
