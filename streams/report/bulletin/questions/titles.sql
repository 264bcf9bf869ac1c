-- People given a title or a permit in the period, or who concluded a contract; somebody may be in several rows.
SELECT cell, uniqExact(subject) AS people
FROM
(
    SELECT 'visa' AS cell, subject, kind, occurred_on FROM core_visa WHERE kind IN ('issued', 'extended')
    UNION ALL
    SELECT if(permit_type = 'household', 'household', 'work_permit') AS cell, subject, kind, occurred_on
    FROM core_work_permit WHERE kind IN ('issued', 'extended')
    UNION ALL
    SELECT 'residence' AS cell, subject, kind, occurred_on FROM core_residence_permit WHERE kind IN ('issued', 'extended')
    UNION ALL
    SELECT 'contract' AS cell, subject, kind, occurred_on FROM core_labour_contract WHERE kind = 'concluded'
    UNION ALL
    SELECT 'extension' AS cell, subject, kind, occurred_on FROM core_stay_registration WHERE kind = 'extension'
)
WHERE occurred_on BETWEEN toDate32('{first}') AND toDate32('{last}')
GROUP BY cell
