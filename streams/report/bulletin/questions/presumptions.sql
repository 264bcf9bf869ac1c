-- People of whom a breach was presumed that began in the period: open if anything is still open, withdrawn if all was withdrawn.
SELECT multiIf(has(states, 'open'), 'open', has(states, 'ended'), 'ended', 'withdrawn') AS cell, count() AS people
FROM
(
    SELECT subject, groupArray(multiIf(state IN ('retracted', 'expired'), 'withdrawn', state = 'resolved', 'ended', 'open')) AS states
    FROM alerts_now
    WHERE family = 'breach' AND startsWith(subject, 'p') AND first_day_on BETWEEN toDate32('{first}') AND toDate32('{last}')
    GROUP BY subject
)
GROUP BY cell
