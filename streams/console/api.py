"""The API: the same sessions, the same rights, the same audit as the pages; described in OpenAPI (`streams.console.openapi`).

No answer holds a pseudonym, and no address takes one: persons are reached as on the pages, from an alert, with a reason.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from starlette.responses import JSONResponse, Response

from streams.cases.follow import case_id_of
from streams.console import alert_lists
from streams.console.case_page import STAGES
from streams.console.feed import is_person, scope_of, wanted_by
from streams.console.openapi import ALERT, CASE, VERSION, document
from streams.console.person_file import plain
from streams.console.reading import Fields
from streams.console.visit import Refused, Visit, Way
from streams.console.wording import reason_of, title_of

PAGE = 100
EXPORTED = 10_000
"""Rows of an export; more is for `shekara export`, which asks for a purpose."""


def ways() -> list[Way]:
    """Returns the routes."""
    return [
        Way("/api/openapi.json", _document, None, api=True),
        Way("/api/session", _session, "own_account", api=True),
        Way("/api/alerts", _alerts, "see_alerts", api=True, each_minute=600),
        Way("/api/alerts/{id}", _alert, "see_alerts", api=True, each_minute=600),
        Way("/api/cases", _cases, "see_alerts", api=True, each_minute=600),
        Way("/api/cases/{id}", _case, "see_alerts", api=True, each_minute=600),
        Way("/api/export", _export, "see_alerts", api=True, each_minute=10),
    ]


def _document(visit: Visit) -> Response:
    return JSONResponse(document(visit.desk.policy))


def _session(visit: Visit) -> Response:
    account, session = visit.account, visit.session
    csrf = session.csrf if session else ""
    return JSONResponse({"name": account.name, "role": account.role, "oblast": account.oblast, "csrf": csrf})


def _alerts(visit: Visit) -> Response:
    wanted = wanted_by(visit)
    rows = alert_lists.rows(visit.desk.reading, wanted, scope_of(visit), limit=PAGE + 1)
    more = len(rows) > PAGE and wanted.order == "newest"
    after = f"{rows[PAGE - 1]['decided_ms']}.{rows[PAGE - 1]['alert_id']}" if more else None
    return JSONResponse({"alerts": [_told(visit, row, ALERT) for row in rows[:PAGE]], "before": after})


def _alert(visit: Visit) -> Response:
    found = visit.desk.reading.alert(visit.id_in_path(), visit.oblast)
    if found is None:
        raise Refused(404, "refused.nothing_here")
    visit.audit("see_alert", str(found["alert_id"]), f"{found['rule']} {found['state']}")
    case_id = UUID(bytes=case_id_of(found["subject"], plain(found["stay_on"]))) if is_person(found["subject"]) else None
    case = visit.desk.reading.case(case_id, visit.oblast) if case_id else None
    versions = visit.desk.reading.versions(found["alert_id"])
    return JSONResponse(
        _told(visit, found, ALERT)
        | {
            "options": list(found["options"]),
            "evidence": [str(one) for one in found["evidence"]],
            "case_id": str(case_id) if case else None,
            "versions": [_told(visit, one, VERSION) for one in versions],
        }
    )


def _cases(visit: Visit) -> Response:
    stage = visit.request.query_params.get("stage", "open")
    if stage not in STAGES:
        raise Refused(422, "refused.filter")
    return JSONResponse({"cases": [_told(visit, row, CASE) for row in visit.desk.reading.cases(stage, visit.oblast)]})


def _case(visit: Visit) -> Response:
    found = visit.desk.reading.case(visit.id_in_path(), visit.oblast)
    if found is None:
        raise Refused(404, "refused.nothing_here")
    visit.audit("see_case", str(found["case_id"]), str(found["stage"]))
    return JSONResponse(_told(visit, found, CASE) | {"alerts": [str(one) for one in found["alerts"]]})


def _export(visit: Visit) -> Response:
    """Answers a view of the feed as a file; what was exported stands in the audit."""
    wanted = wanted_by(visit)
    form = visit.request.query_params.get("format", "csv")
    if form not in ("csv", "jsonl"):
        raise Refused(422, "refused.filter")
    rows = alert_lists.rows(visit.desk.reading, wanted, scope_of(visit), limit=EXPORTED)
    visit.audit("export", wanted.query, str(len(rows)))
    told = [_told(visit, row, ALERT) for row in rows]
    content = _csv(told) if form == "csv" else "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in told)
    kind = "text/csv" if form == "csv" else "application/x-ndjson"
    return Response(content, media_type=kind, headers={"Content-Disposition": f'attachment; filename="alerts.{form}"'})


def _csv(rows: Iterable[Fields]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(ALERT), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _told(visit: Visit, row: Fields, names: Iterable[str]) -> Fields:
    """Returns the fields of a row the API tells, in JSON's own types."""
    policy, say = visit.desk.policy, visit.say
    found = {name: _json(row[name]) for name in names if name in row}
    if "title" in names:
        found["title"] = title_of(row["rule"], row["grade"], policy, say)
    if "because" in names:
        found["because"] = reason_of(row["reason"], say)
    return {name: found[name] for name in names}


def _json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [_json(one) for one in value]
    return str(value) if isinstance(value, UUID) else value
