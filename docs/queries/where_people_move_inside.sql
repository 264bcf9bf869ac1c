-- Which oblasts gain from others, and from whom?
SELECT to_oblast, from_oblast, sum(moves) AS moves
FROM mart_internal_moves
GROUP BY to_oblast, from_oblast
ORDER BY moves DESC, to_oblast, from_oblast
LIMIT 20;
