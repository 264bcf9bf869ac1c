"""The twelve questions analysts ask most, as they stand on the dashboards and in the query book."""

from __future__ import annotations

QUESTIONS: tuple[tuple[str, str], ...] = (
    (
        "arrivals by day and oblast, thirty days",
        "SELECT day, oblast, sum(crossings) AS arrivals FROM mart_daily_flows WHERE direction = 'entry' "
        "AND day BETWEEN '2022-01-01' AND '2022-01-30' GROUP BY day, oblast ORDER BY day, oblast",
    ),
    (
        "the twenty busiest posts of one month",
        "SELECT post, sum(crossings) AS crossings FROM mart_daily_flows WHERE day >= '2022-01-01' AND day < '2022-02-01' "
        "GROUP BY post ORDER BY crossings DESC LIMIT 20",
    ),
    ("crossings by month", "SELECT * FROM mart_crossings_by_month ORDER BY month"),
    ("entries and exits by country and year", "SELECT * FROM mart_entries_by_country ORDER BY ALL"),
    ("entries by purpose, and how many people", "SELECT * FROM mart_entries_by_purpose ORDER BY ALL"),
    ("length of stays by purpose", "SELECT * FROM mart_stay_lengths ORDER BY ALL"),
    (
        "foreigners present by oblast, with the interval",
        "SELECT oblast, low, middle, high FROM mart_foreigners_present ORDER BY ALL",
    ),
    (
        "open stays by oblast and citizenship",
        "SELECT oblast, citizenship, sum(persons) AS persons FROM mart_open_stays GROUP BY oblast, citizenship ORDER BY ALL",
    ),
    ("overstays by evidence grade", "SELECT * FROM mart_overstays_by_grade ORDER BY ALL"),
    (
        "open overstay alerts by oblast and grade",
        "SELECT oblast, grade, sum(alerts) AS alerts FROM mart_alerts WHERE startsWith(rule, 'overstay') "
        "AND state IN ('raised', 'amended', 'acknowledged') GROUP BY oblast, grade ORDER BY ALL",
    ),
    (
        "employers with most unregistered workers",
        "SELECT employer, oblast, sector, persons FROM mart_unregistered_workers ORDER BY persons DESC, employer LIMIT 20",
    ),
    ("alerts that proved wrong, by rule", "SELECT rule, alerts, retracted, ratio FROM mart_retractions_by_rule ORDER BY rule"),
)
"""What it asks, in words; the query."""

SELDOM: tuple[tuple[str, str], ...] = (
    ("arrivals notified in time", "SELECT * FROM mart_arrivals_notified ORDER BY ALL"),
    ("share of stays that were overstayed", "SELECT * FROM mart_overstay_rate ORDER BY ALL"),
    ("how late publishers are", "SELECT * FROM mart_lateness_by_publisher ORDER BY ALL"),
    ("what publishers lost on the way", "SELECT * FROM mart_completeness_by_publisher ORDER BY ALL"),
    ("whose records withdrew alerts", "SELECT * FROM mart_retractions_by_source ORDER BY ALL"),
    ("is every record accounted for", "SELECT * FROM mart_ledger ORDER BY ALL"),
)
"""Marts that scanned every fact once; asked a few times each."""
