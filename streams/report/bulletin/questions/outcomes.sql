-- People whose follow-up was opened in the period, by the stage of the latest case.
SELECT cell, count() AS people
FROM
(
    SELECT subject, argMax(toString(stage), (opened_at, toString(case_id))) AS cell
    FROM cases_now
    WHERE toDate32(toTimeZone(opened_at, 'Asia/Almaty')) BETWEEN toDate32('{first}') AND toDate32('{last}')
    GROUP BY subject
)
GROUP BY cell
