-- Employers with most unregistered workers, with their share of citizens.
SELECT w.employer, w.oblast, w.sector, w.persons, c.share_12, c.share_34, c.below
FROM mart_unregistered_workers AS w LEFT JOIN mart_citizens_share AS c ON c.employer = w.employer
ORDER BY w.persons DESC, w.employer, w.oblast, w.sector
LIMIT 20;
