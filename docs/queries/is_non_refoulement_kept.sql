-- Is any protected person's case referred or removed? Must be 0.
SELECT sum(protected_cases) AS protected_cases, sum(blocked_broken) AS must_be_0
FROM mart_non_refoulement;
