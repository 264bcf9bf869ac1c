"""Who is connected with an alert: by an exact key, an employer or an address. Never by likeness: a likeness is no evidence.

Pseudonyms have no names to compare. Where registers hold that two pseudonyms are one person, that is shown as possible, with why.
"""

from __future__ import annotations

from dataclasses import dataclass

from streams.console.feed import is_person
from streams.console.reading import ROW, Fields
from streams.console.visit import Visit
from streams.warehouse.columns import quote

AT_MOST = 8


@dataclass(frozen=True, slots=True)
class Related:
    """What shares a key with an alert.

    Attributes:
        employer: alerts of other people at the same employer, the newest first, at most `AT_MOST`.
        employer_persons: how many other people at the same employer have an alert the visitor may see.
        address: alerts of other people notified at the same address.
        address_persons: how many other people notified there have an alert the visitor may see.
        own: the person's other alerts.
        links: why registers hold that another pseudonym may be the same person: reason and day.
    """

    employer: list[Fields]
    employer_persons: int
    address: list[Fields]
    address_persons: int
    own: list[Fields]
    links: list[Fields]


def related_to(visit: Visit, alert: Fields) -> Related:
    """Returns what shares a key with an alert, of that which the visitor may see."""
    subject, alert_id = quote(alert["subject"]), quote(str(alert["alert_id"]))
    personal = is_person(alert["subject"])
    employer = alert["employer"] or ("" if personal else alert["subject"])
    at_employer: list[Fields] = []
    at_address: list[Fields] = []
    own: list[Fields] = []
    links: list[Fields] = []
    if employer:
        at_employer = _alerts(visit, f"employer = {quote(employer)} AND subject <> {subject}")
    if personal:
        own = _alerts(visit, f"subject = {subject} AND alert_id <> {alert_id}")
        notified = "FROM core_stay_registration WHERE"
        keys = f"SELECT address_key {notified} subject = {subject} AND address_key IS NOT NULL"
        residents = f"SELECT subject {notified} address_key IN ({keys})"
        at_address = _alerts(visit, f"subject IN ({residents}) AND subject <> {subject}")
        links = visit.desk.reading.ask(
            "SELECT reason, occurred_at FROM core_identity_link "  # noqa: S608
            f"WHERE (subject = {subject} OR other_subject = {subject}) AND kind = 'linked' ORDER BY occurred_at DESC LIMIT 20"
        )
    return Related(
        at_employer[:AT_MOST],
        len({row["person"] for row in at_employer if is_person(row["person"])}),
        at_address[:AT_MOST],
        len({row["person"] for row in at_address}),
        own[:AT_MOST],
        links,
    )


def _alerts(visit: Visit, where: str) -> list[Fields]:
    within = f" AND oblast = {quote(visit.oblast)}" if visit.oblast else ""
    return visit.desk.reading.ask(
        f"SELECT {ROW}, subject AS person FROM alerts_now WHERE ({where}){within} "  # noqa: S608
        "ORDER BY state IN ('raised', 'amended', 'acknowledged') DESC, decided_ms DESC LIMIT 500"
    )
