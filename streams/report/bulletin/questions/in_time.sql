-- People who left in the period: whether a held overstay alert belongs to any of the stays they ended.
SELECT if(worst > 0, 'later', 'in_time') AS cell, count() AS people
FROM
(
    SELECT s.subject AS subject, max(a.alerts) AS worst
    FROM core_stays AS s
    LEFT JOIN
    (
        SELECT subject, stay_on, count() AS alerts
        FROM alerts_now
        WHERE startsWith(rule, 'overstay_') AND state NOT IN ('retracted', 'expired')
        GROUP BY subject, stay_on
    ) AS a ON a.subject = s.subject AND a.stay_on = s.entered_on
    WHERE s.citizenship <> 'KAZ' AND s.ended = 'exit' AND assumeNotNull(s.left_on) BETWEEN toDate32('{first}') AND toDate32('{last}')
    GROUP BY subject
)
GROUP BY cell
