-- Which oblasts have cases past their day?
SELECT oblast, sum(open_cases) AS open_cases, sum(overdue) AS overdue, min(oldest_due_on) AS oldest
FROM mart_cases_overdue
GROUP BY oblast
ORDER BY overdue DESC, oblast;
