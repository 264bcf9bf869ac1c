-- People, families counted with every member, by step.
SELECT cell, sum(members) AS people
FROM
(
    SELECT kind AS cell, family_id, max(family_size) AS members
    FROM core_kandas
    WHERE kind IN ('applied', 'granted', 'arrived') AND occurred_on BETWEEN toDate32('{first}') AND toDate32('{last}')
    GROUP BY kind, family_id
)
GROUP BY cell
