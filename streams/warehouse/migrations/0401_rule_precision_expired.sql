-- An alert that expired was neither right nor wrong: nobody could check it. docs/rules.md, Presumptions that expire.

CREATE OR REPLACE VIEW mart_rule_precision /*cluster*/
(
    `rule` LowCardinality(String) COMMENT 'Rule that speaks, see docs/rules.md.',
    `alerts` UInt64 COMMENT 'Alerts ever raised.',
    `confirmed` UInt64 COMMENT 'Of them confirmed: the case was legalised, left, referred or removed, or the breach was and has ended.',
    `unfounded` UInt64 COMMENT 'Of them unfounded: retracted, or the case was cleared. A change of policy proves no alert wrong.',
    `undecided` UInt64 COMMENT 'Of them not decided: not yet, disputed, or expired before anybody could check.',
    `by_officers` UInt64 COMMENT 'Of confirmed and unfounded: those on whose case an officer decided an outcome.',
    `precision` Nullable(Float64) COMMENT 'confirmed / (confirmed + unfounded); NULL: nothing decided.'
)
AS
WITH
    disputed AS
    (
        SELECT subject FROM (SELECT subject, dispute_id, argMax(kind, (occurred_at, toString(event_id))) AS kind FROM core_dispute GROUP BY subject, dispute_id)
        WHERE kind = 'opened'
    ),
    outcomes AS
    (
        SELECT case_id FROM core_case_decision WHERE decision IN ('legalised', 'left_voluntarily', 'cleared', 'referral_confirmed', 'removed')
    )
SELECT
    rule,
    count() AS alerts,
    countIf(verdict = 'confirmed') AS confirmed,
    countIf(verdict = 'unfounded') AS unfounded,
    countIf(verdict = 'undecided') AS undecided,
    countIf(verdict <> 'undecided' AND decided) AS by_officers,
    if(confirmed + unfounded = 0, NULL, confirmed / (confirmed + unfounded)) AS precision
FROM
(
    SELECT
        n.rule AS rule,
        c.case_id IN (SELECT case_id FROM outcomes) AS decided,
        multiIf(
            n.state = 'retracted' AND (n.reason = 'policy' OR (n.reason = 'dispute' AND n.subject IN (SELECT subject FROM disputed))), 'undecided',
            n.state = 'expired' AND c.case_id NOT IN (SELECT case_id FROM outcomes), 'undecided',
            n.state = 'retracted' OR c.stage = 'cleared', 'unfounded',
            n.state = 'resolved' OR c.stage IN ('legalised', 'left', 'referred', 'removed'), 'confirmed',
            'undecided') AS verdict
    FROM alerts_now AS n LEFT JOIN cases_now AS c ON c.subject = n.subject AND c.stay_on = n.stay_on
)
GROUP BY rule
COMMENT 'How often a rule was right: alerts confirmed and unfounded by outcomes of cases and by later facts, by rule. Unit: alerts.';
