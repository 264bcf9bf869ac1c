-- How many foreigners are in the country, from the lower to the upper bound?
SELECT sum(low) AS low, sum(middle) AS middle, sum(high) AS high, round((high - low) / greatest(high, 1), 4) AS uncertainty
FROM mart_foreigners_present;
