"""An employer's dossier: workers and permits, the share of citizens, quota, alerts and declarations. Reached from an alert."""

from __future__ import annotations

from starlette.responses import Response

from streams.console import figures
from streams.console.alert_page import alert_of
from streams.console.visit import Refused, Visit, Way


def ways() -> list[Way]:
    """Returns the routes."""
    return [Way("/alerts/{id}/employer", _employer, "see_alerts")]


def _employer(visit: Visit) -> Response:
    alert = alert_of(visit)
    employer = alert["employer"]  # a quota has none
    if not employer:
        raise Refused(404, "refused.nothing_here")
    visit.audit("see_employer", str(alert["alert_id"]), f"{alert['rule']} {alert['state']}")
    reading = visit.desk.reading
    return visit.page(
        "employer.html",
        alert=alert,
        employer=employer,
        people=figures.employer_people(reading, employer, visit.oblast),
        permits=figures.employer_permits(reading, employer, visit.oblast),
        share=figures.employer_share(reading, employer),
        quotas=figures.employer_quotas(reading, employer, visit.oblast),
        rows=reading.employer_alerts(employer, visit.oblast),
        declared=reading.declarations(employer),
        decided=[] if visit.oblast else reading.employer_decisions("subject", employer),
        names=visit.desk.officer_names(),
    )
