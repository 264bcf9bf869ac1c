"""What OWASP's ASVS asks of the console and no other test here holds; the table is in docs/console.md."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import streams.console
from streams.console.app import ways
from streams.console.desk import Desk
from streams.console.texts import VOICES
from tests.unit.console.conftest import SignIn, browser, csrf_of

ROOM = Path(streams.console.__file__).parent
SOURCES = sorted(ROOM.glob("*.py"))
RUNS_WHAT_IT_IS_GIVEN = {"eval", "exec", "compile", "__import__", "system", "popen", "Popen", "loads_pickle"}
NEVER_IMPORTED = {"pickle", "marshal", "shelve", "subprocess", "xml", "lxml", "random", "ldap3"}


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_the_console_calls_nothing_that_runs_what_it_is_given_and_nothing_guessable(source: Path) -> None:
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert not {one.name.partition(".")[0] for one in node.names} & NEVER_IMPORTED
        if isinstance(node, ast.ImportFrom):
            assert (node.module or "").partition(".")[0] not in NEVER_IMPORTED
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            assert name not in RUNS_WHAT_IT_IS_GIVEN or (name == "compile" and ast.unparse(node.func) == "re.compile")
            assert ast.unparse(node.func) not in ("yaml.load", "yaml.unsafe_load")


def test_pages_load_nothing_from_elsewhere() -> None:
    for path in [*ROOM.glob("templates/*.html"), *ROOM.glob("static/*")]:
        found = re.findall(r"(?:https?:)?//[\w.-]+\.\w+[^\s\"']*", path.read_text(encoding="utf-8"))
        assert [one for one in found if not one.startswith("http://www.w3.org/")] == [], path.name


def test_a_route_answers_its_own_methods_only(desk: Desk, sign_in: SignIn) -> None:
    client = sign_in("operator")
    known: dict[str, set[str]] = {}
    for way in ways():
        known.setdefault(way.path, set()).update(way.methods)
    for path, methods in known.items():
        at = re.sub(r"\{[^}]*\}", "00000000-0000-0000-0000-000000000000", path)
        for method in {"PUT", "DELETE", "PATCH", "TRACE", "OPTIONS"} - methods:
            assert client.request(method, at).status_code == 405, (method, path)


def test_no_folder_is_listed_and_nothing_but_pages_and_files_is_served(desk: Desk, sign_in: SignIn) -> None:
    client = sign_in("operator")
    for path in (
        "/static/",
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/.git/config",
        "/console.db",
        "/static/..%2fstore.py",
    ):
        assert client.get(path).status_code == 404, path


def test_fields_nobody_asked_for_change_nothing(desk: Desk, sign_in: SignIn) -> None:
    client = sign_in("administrator")
    form = {"name": "new-one", "role": "operator", "oblast": "", "csrf": csrf_of(client.get("/accounts"))}
    forged = {"id": "0" * 32, "officer": "o1-forged", "password": "x", "disabled": "0", "account_id": "0" * 32}
    assert client.post("/accounts", data=form | forged).status_code == 200
    made = next(one for one in desk.accounts.all() if one.name == "new-one")
    assert made.id != "0" * 32
    assert made.officer != "o1-forged"
    assert desk.store.rows("SELECT password FROM account WHERE id = ?", made.id) == [("",)]


def test_what_somebody_tried_and_may_not_is_in_the_audit(desk: Desk, sign_in: SignIn) -> None:
    client = sign_in("analyst")
    who = next(one for one in desk.accounts.all() if one.role == "analyst").officer
    assert client.get("/accounts").status_code == 403
    assert client.post("/language", data={"language": "ru", "csrf": "forged"}).status_code == 403
    told = [(line.actor, line.action, line.object, line.reason) for line in desk.audit.lines(limit=2)]
    assert told == [(who, "refused", "/language", "elsewhere"), (who, "refused", "/accounts", "rights")]


def test_words_that_look_like_code_stay_words(desk: Desk) -> None:
    pages = desk.pages
    assert pages.autoescape is True
    evil = "<script>alert(1)</script>{{ 7 * 7 }}\"' onload=x"
    drawn = pages.get_template("refused.html").render(visit=_Nobody(), say=VOICES["en"], desk=desk, sentence=evil)
    assert "<script>alert" not in drawn
    assert "&lt;script&gt;" in drawn
    assert "{{ 7 * 7 }}" in drawn, "what comes from outside is never a template"


class _Nobody:
    """A visit of nobody, as far as a template looks at it."""

    session = None
    request = type("Request", (), {"url": type("Url", (), {"path": "/", "query": ""})()})()

    def may(self, action: str) -> bool:
        return False


def test_a_form_that_is_too_long_or_has_too_many_fields_is_refused(desk: Desk, sign_in: SignIn) -> None:
    client = sign_in("operator")
    csrf = csrf_of(client.get("/"))
    assert client.post("/language", data={"csrf": csrf, "language": "ru", "back": "x" * 70_000}).status_code == 413
    many = {f"f{number}": "1" for number in range(700)}
    assert client.post("/language", data={"csrf": csrf, "language": "ru", **many}).status_code == 422
    with browser(desk) as nobody:
        answer = nobody.post("/api/check", content=iter([b"{}"]), headers={"transfer-encoding": "chunked"})
        assert answer.status_code == 401, "who is not signed in is told that first, however the form looks"
    headers = {"x-csrf-token": csrf}
    assert client.post("/api/check", content=b"[1]", headers=headers).status_code == 422
    assert client.post("/api/check", content=b"{", headers=headers).status_code == 422


def test_an_answer_for_programs_opens_as_a_file_and_says_what_it_is(desk: Desk, sign_in: SignIn) -> None:
    answer = sign_in("operator").get("/api/session")
    assert answer.headers["content-disposition"] == 'attachment; filename="api.json"'
    assert answer.headers["content-type"] == "application/json"
    page = sign_in("operator").get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
