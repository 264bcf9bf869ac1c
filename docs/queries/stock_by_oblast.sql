-- The same by oblast of entry, the least certain first.
SELECT oblast, low, high, high - low AS open_question
FROM mart_foreigners_present
ORDER BY open_question DESC, oblast;
