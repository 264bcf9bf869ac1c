"""The API's description, as OpenAPI 3.1: one document, built from the same tables the code decides by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from streams import __version__
from streams.console.case_page import STAGES
from streams.console.check import COMPARED, OCCASIONS
from streams.console.filters import FAMILIES, GRADES, ORDERS, SEVERITIES, SLAS, STATES
from streams.console.rights import ROLES
from streams.policy.model import Policy
from streams.vault.masking import Masked

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_DAY: Schema = {"type": "string", "format": "date"}
_MAYBE_DAY: Schema = {"type": ["string", "null"], "format": "date"}
_INSTANT: Schema = {"type": "string", "format": "date-time"}
_UUID: Schema = {"type": "string", "format": "uuid"}


ALERT: Mapping[str, Schema] = {
    "alert_id": _UUID,
    "version": {"type": "integer", "minimum": 1},
    "rule": _TEXT,
    "title": _TEXT | {"description": "What is said of it; of who merely has no exit never that they overstayed."},
    "family": _TEXT,
    "state": _TEXT,
    "grade": {"enum": list(GRADES)},
    "severity": {"enum": list(SEVERITIES)},
    "stay_on": _DAY,
    "deadline_on": _DAY,
    "first_day_on": _DAY,
    "last_day_on": _MAYBE_DAY,
    "days": {"type": "integer"},
    "group": _TEXT,
    "oblast": _TEXT,
    "post": _TEXT,
    "reason": _TEXT,
    "because": _TEXT,
    "decided_at": _INSTANT,
}
"""An alert as the API tells it: no pseudonym."""

VERSION: Mapping[str, Schema] = {
    name: ALERT[name] for name in ("version", "state", "grade", "severity", "reason", "because", "decided_at")
}
CASE: Mapping[str, Schema] = {
    "case_id": _UUID,
    "version": {"type": "integer", "minimum": 1},
    "stage": _TEXT,
    "open": {"type": "boolean"},
    "path": _TEXT,
    "protected": {"type": "boolean"},
    "options": {"type": "array", "items": _TEXT},
    "stay_on": _DAY,
    "oblast": _TEXT,
    "due_on": _MAYBE_DAY,
    "opened_at": _INSTANT,
    "decided_at": _INSTANT,
}

_ERRORS: Mapping[int, str] = {
    401: "Nobody is signed in.",
    403: "The role does not allow it, the token is missing, or a second factor must be set up first.",
    404: "There is nothing here, or it is of another oblast: the answer does not tell which.",
    413: "The request is too long.",
    422: "A value is none of those there are.",
    429: "Too often: wait a minute.",
    503: "The warehouse or Kafka did not answer, or records are still being read.",
}


def _object(fields: Mapping[str, Schema]) -> Schema:
    return {"type": "object", "properties": dict(fields), "required": list(fields), "additionalProperties": False}


def _answers(content: Mapping[str, Schema], *errors: int) -> Schema:
    good = {"description": "The answer.", "content": {kind: {"schema": schema} for kind, schema in content.items()}}
    bad = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {"200": good} | {str(one): {"description": _ERRORS[one], "content": bad} for one in errors}


def _json(schema: Schema) -> dict[str, Schema]:
    return {"application/json": schema}


def _query(name: str, schema: Schema, text: str) -> Schema:
    return {"name": name, "in": "query", "required": False, "description": text, "schema": schema}


def _filter(policy: Policy) -> list[Schema]:
    known = {
        "state": (list(STATES), "queue: what waits for somebody; that is what is answered if none is given."),
        "rule": (sorted(policy.rule_texts), "Name of the rule."),
        "grade": (list(GRADES), "Evidence grade."),
        "severity": (list(SEVERITIES), "Severity."),
        "family": (list(FAMILIES), "Breach or protective."),
        "oblast": (sorted(policy.codes.oblasts), "ISO 3166-2:KZ."),
        "post": (sorted(policy.codes.posts), "Border post."),
        "sla": (list(SLAS), "Whether somebody should have looked by now."),
        "order": (list(ORDERS), "newest, or urgent: by severity, then by what is due first."),
    }
    # Empty is as if not given: that is what a form sends of what nobody chose.
    plain = [_query(name, {"enum": ["", *values]}, text) for name, (values, text) in known.items()]
    before = {"type": "string", "pattern": r"^$|^[0-9]{1,15}\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"}
    return [*plain, _query("before", before, "Where the page begins: `before` of the page read last.")]


def document(policy: Policy) -> Schema:
    """Returns the document.

    Args:
        policy: names of rules, oblasts and posts.
    """
    wanted = _filter(policy)
    by_id = {"name": "id", "in": "path", "required": True, "schema": _UUID}
    listed = (401, 403, 422, 429, 503)
    one = (401, 403, 404, 429, 503)
    whole_alert = _object(
        {
            **ALERT,
            "options": {"type": "array", "items": _TEXT, "description": "Lawful options, help first."},
            "evidence": {"type": "array", "items": _UUID, "description": "Ids of the events it rests on."},
            "case_id": {"type": ["string", "null"], "format": "uuid"},
            "versions": {"type": "array", "items": _object(VERSION)},
        }
    )
    export = {"text/csv": {"type": "string"}, "application/x-ndjson": {"type": "string"}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Shekara, the operations centre's console",
            "version": __version__,
            "description": "The same rights as the pages: sign in at /sign-in, send its cookie. No pseudonym is in any answer.",
        },
        "paths": {
            "/api/openapi.json": {"get": _does("This document.", [], _answers(_json({"type": "object"})), public=True)},
            "/api/session": {
                "get": _does("Who is signed in.", [], _answers(_json({"$ref": "#/components/schemas/Session"}), 401))
            },
            "/api/alerts": {
                "get": _does(
                    "Alerts of a view, the newest first, 100 a page.",
                    wanted,
                    _answers(_json(_page("alerts", _object(ALERT), {"before": {"type": ["string", "null"]}})), *listed),
                )
            },
            "/api/alerts/{id}": {"get": _does("One alert with its versions.", [by_id], _answers(_json(whole_alert), *one))},
            "/api/cases": {
                "get": _does(
                    "Cases, those due first; at most 200.",
                    [_query("stage", {"enum": list(STAGES)}, "open: on which somebody has to act.")],
                    _answers(_json(_page("cases", _object(CASE), {})), *listed),
                )
            },
            "/api/cases/{id}": {
                "get": _does(
                    "One case.",
                    [by_id],
                    _answers(_json(_object({**CASE, "alerts": {"type": "array", "items": _UUID}})), *one),
                )
            },
            "/api/export": {
                "get": _does(
                    "A view as a file, at most 10,000 rows; it is in the audit.",
                    [*wanted, _query("format", {"enum": ["csv", "jsonl"]}, "csv if none is given.")],
                    _answers(export, *listed),
                )
            },
            "/api/check": {
                "post": _does(
                    "What is known of a document: unknown is not unlawful. In the body, for addresses end up in logs.",
                    [],
                    _answers(_json({"$ref": "#/components/schemas/Check"}), 401, 403, 413, 422, 429, 503),
                )
                | {
                    "security": [{"session": [], "csrf": []}],
                    "requestBody": {
                        "required": True,
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CheckRequest"}}},
                    },
                }
            },
        },
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": "shekara_session"},
                "csrf": {"type": "apiKey", "in": "header", "name": "X-CSRF-Token", "description": "`csrf` of /api/session."},
            },
        },
    }


def _does(summary: str, parameters: list[Schema], responses: Schema, *, public: bool = False) -> Schema:
    security: list[Schema] = [] if public else [{"session": []}]
    return {"summary": summary, "parameters": parameters, "responses": responses, "security": security}


def _page(name: str, item: Schema, more: Mapping[str, Schema]) -> Schema:
    return _object({name: {"type": "array", "items": item}, **more})


def _asked(fields: Mapping[str, Schema]) -> Schema:
    """Returns what a check is asked with: the fields, and why it is made."""
    occasion = {"enum": list(OCCASIONS), "description": f"Why, for the audit; {OCCASIONS[0]} if none is given."}
    made = _object(fields)
    return made | {"properties": made["properties"] | {"occasion": occasion}}


def _schemas() -> Schema:
    named = {"type": "array", "items": _object({"option": _TEXT, "title": _TEXT})}
    found = {"type": "array", "items": _object({"rule": _TEXT, "title": _TEXT, "grade": {"enum": list(GRADES)}})}
    shown = {"oneOf": [_object({one.name: _TEXT for one in fields(Masked)}), {"type": "null"}]}
    held = _object(
        {"known": {"type": "boolean"}, "differs": {"type": "array", "items": {"enum": list(COMPARED)}}, "shown": shown}
    )
    return {
        "Error": _object({"error": _TEXT, "message": _TEXT}),
        "Session": _object({"name": _TEXT, "role": {"enum": list(ROLES)}, "oblast": _TEXT, "csrf": _TEXT}),
        "CheckRequest": {
            "type": "object",
            "oneOf": [
                _asked(
                    {
                        "country": {"type": "string", "pattern": "^[A-Za-z]{1,3}$"},
                        "document": {"type": "string", "minLength": 4, "maxLength": 40},
                    }
                ),
                _asked({"mrz": {"type": "string", "minLength": 72, "maxLength": 200}}),
                _asked({"subject": {"type": "string", "pattern": "^p[0-9]{1,6}-[0-9a-f]{32}$"}}),
            ],
        },
        "Check": _object(
            {
                "status": {"enum": ["unknown", "lawful", "no_title_known", "not_present"]},
                "message": _TEXT,
                "protected": {"type": ["boolean", "null"]},
                "last_lawful_day": _MAYBE_DAY,
                "findings": found,
                "options": named,
                "document": {"oneOf": [held, {"type": "null"}]},
            }
        ),
    }
