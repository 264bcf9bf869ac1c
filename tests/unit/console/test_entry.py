"""What every request passes: headers, sessions, rights, forms."""

from __future__ import annotations

import re
import threading
import time
from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient

from streams.clock import now_ms
from streams.console import serving
from streams.console.accounts import FREE_FAILURES
from streams.console.app import application, ways
from streams.console.desk import Desk, furnish
from streams.console.rights import MATRIX, ROLES, may
from streams.console.visit import HEADERS
from streams.policy.load import load
from streams.settings import Settings
from tests.unit.console.conftest import CHEAP, PASSWORD, SignIn, browser, csrf_of

OPEN = {"/sign-in", "/sign-in/code", "/setup", "/language", "/api/openapi.json", "/sign-in/provider", "/sign-in/provider/back"}


def test_every_route_names_an_action_but_the_door() -> None:
    assert {way.path for way in ways() if way.action is None} == OPEN
    assert all(way.action in MATRIX for way in ways() if way.action is not None)
    assert len({(way.path, way.methods) for way in ways()}) == len(ways())


@pytest.mark.parametrize("role", ROLES)
def test_every_route_obeys_the_matrix_for_every_role(desk: Desk, sign_in: SignIn, role: str) -> None:
    client = sign_in(role)
    csrf = csrf_of(client.get("/"))
    for way in ways():
        if way.action is None or way.path == "/sign-out":
            continue
        path = re.sub(r"\{[^}]*\}", "00000000-0000-0000-0000-000000000000", way.path)
        answer = client.request(way.methods[0], path, headers={"x-csrf-token": csrf})
        assert (answer.status_code == 403) == (not may(role, way.action)), (way, answer.status_code)


def test_nobody_gets_anywhere_without_signing_in(desk: Desk) -> None:
    with browser(desk) as client:
        for way in ways():
            if way.action is None:
                continue
            path = re.sub(r"\{[^}]*\}", "00000000-0000-0000-0000-000000000000", way.path)
            answer = client.request(way.methods[0], path)
            assert answer.status_code == 401 or answer.headers["location"] == "/sign-in", way


def test_every_answer_carries_the_secure_headers(desk: Desk) -> None:
    with browser(desk) as client:
        for path in ("/sign-in", "/", "/static/console.css", "/nowhere", "/livez", "/accounts"):
            answer = client.get(path)
            assert {name: answer.headers[name] for name in HEADERS} == HEADERS, path
        assert "unsafe" not in HEADERS["Content-Security-Policy"]


def test_pages_hold_no_inline_script_or_style(desk: Desk, sign_in: SignIn) -> None:
    client = sign_in("administrator")
    for path in ("/", "/accounts", "/sign-in"):
        text = client.get(path).text
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", text), path


def test_a_foreign_name_that_points_here_is_refused(desk: Desk) -> None:
    with browser(desk) as client:
        assert client.get("/sign-in", headers={"host": "evil.example"}).status_code == 400


def test_a_form_without_the_token_changes_nothing(desk: Desk, sign_in: SignIn) -> None:
    client = sign_in("administrator")
    before = desk.accounts.all()
    form = {"name": "new-one", "role": "operator", "oblast": ""}
    for csrf in ("", "wrong"):
        assert client.post("/accounts", data={**form, "csrf": csrf}).status_code == 403
    csrf = csrf_of(client.get("/accounts"))
    for headers in ({"origin": "http://evil.example"}, {"sec-fetch-site": "cross-site"}, {"origin": "null"}):
        assert client.post("/accounts", data={**form, "csrf": csrf}, headers=headers).status_code == 403
    assert desk.accounts.all() == before
    assert client.post("/accounts", data={**form, "csrf": csrf}, headers={"origin": "http://127.0.0.1"}).status_code == 200
    assert len(desk.accounts.all()) == len(before) + 1


def test_the_cookie_is_out_of_reach_of_scripts(desk: Desk, sign_in: SignIn) -> None:
    sign_in("operator")
    with browser(desk) as client:
        cookie = client.post("/sign-in", data={"name": "operator-0", "password": PASSWORD}).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


def test_signing_out_ends_the_session_on_the_server(desk: Desk, sign_in: SignIn) -> None:
    client = sign_in("operator")
    token = client.cookies["shekara_session"]
    assert client.post("/sign-out", data={"csrf": csrf_of(client.get("/"))}).status_code == 303
    client.cookies.set("shekara_session", token)
    assert client.get("/").headers["location"] == "/sign-in"


def test_the_page_does_not_tell_whether_a_name_exists(desk: Desk, sign_in: SignIn) -> None:
    sign_in("operator")
    with browser(desk) as client:
        answers = [client.post("/sign-in", data={"name": name, "password": "wrong wrong"}) for name in ("operator-0", "ghost")]
        texts = [answer.text.replace("operator-0", "").replace("ghost", "") for answer in answers]
        assert texts[0] == texts[1]
        for _ in range(FREE_FAILURES):
            client.post("/sign-in", data={"name": "operator-0", "password": "wrong wrong"})
        locked = client.post("/sign-in", data={"name": "operator-0", "password": PASSWORD})
        assert locked.status_code == 403
        assert locked.text.replace("operator-0", "") == texts[0]


def test_passwords_of_many_names_cannot_be_tried_quickly(desk: Desk) -> None:
    with browser(desk) as client:
        codes = [client.post("/sign-in", data={"name": f"n{n}", "password": "x"}).status_code for n in range(32)]
    assert codes[:30] == [403] * 30
    assert codes[30:] == [429] * 2


def test_the_set_up_link_leads_to_a_password(desk: Desk) -> None:
    from streams.console.serving import first_link

    link = first_link(desk, "http://127.0.0.1")
    with browser(desk) as client:
        assert "administrator" in client.get(link).text
        token = link.partition("=")[2]
        form = {"token": token, "password": PASSWORD, "again": PASSWORD + "x"}
        assert client.post("/setup", data=form).status_code == 422
        assert client.post("/setup", data={**form, "again": PASSWORD}).headers["location"] == "/sign-in"
        assert client.get(link).status_code == 404
        assert client.post("/sign-in", data={"name": "administrator", "password": PASSWORD}).headers["location"] == "/"


def test_the_language_stays_chosen_and_leads_nowhere_else(desk: Desk) -> None:
    with browser(desk) as client:
        assert 'lang="en"' in client.get("/sign-in").text
        assert client.post("/language", data={"language": "kk", "back": "/sign-in"}).headers["location"] == "/sign-in"
        assert 'lang="kk"' in client.get("/sign-in").text
        for back in ("//evil.example", "https://evil.example/x", "/\\evil.example", "javascript:x"):
            location = client.post("/language", data={"language": "ru", "back": back}).headers["location"]
            assert location.startswith("/")
            assert not location.startswith(("//", "/\\"))


def test_an_unexpected_fault_tells_nothing(
    desk: Desk, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> int:
        raise ValueError("p1-0123456789abcdef0123456789abcdef")

    client = sign_in("auditor")
    monkeypatch.setattr(desk.audit, "verify", broken)
    answer = client.get("/audit")
    assert answer.status_code == 500
    said = capsys.readouterr()
    assert "ValueError" in said.out + said.err, "the log says what and where"
    assert "p1-" not in answer.text + said.out + said.err


def test_the_administrator_cannot_lock_themselves_out(desk: Desk, sign_in: SignIn) -> None:
    client = sign_in("administrator")
    own = next(account for account in desk.accounts.all() if account.role == "administrator")
    csrf = csrf_of(client.get("/accounts"))
    assert client.post(f"/accounts/{own.id}/disable", data={"csrf": csrf}).status_code == 422


def test_behind_a_tls_proxy_links_cookies_and_headers_are_those_of_tls(tmp_path: Path) -> None:
    desk = furnish(Settings(home=tmp_path), load("kz"), demo=True, public_url="https://console.example.kz/", hasher=CHEAP)
    app = application(desk, ["console.example.kz"])
    with TestClient(
        app, base_url="http://console.example.kz", follow_redirects=False, headers={"accept-language": "en"}
    ) as client:
        _, token = desk.accounts.invite("boss", "administrator", "", now_ms())
        desk.accounts.accept(token, PASSWORD, now_ms())
        answer = client.post("/sign-in", data={"name": "boss", "password": PASSWORD})
        assert "secure" in answer.headers["set-cookie"].lower()
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        client.cookies.set("shekara_session", answer.headers["set-cookie"].split("=", 1)[1].split(";")[0])
        csrf = csrf_of(client.get("/accounts"))
        made = client.post("/accounts", data={"csrf": csrf, "name": "new-one", "role": "operator", "oblast": ""})
        assert "https://console.example.kz/setup?token=" in made.text, "a one-time link never travels in clear"
        assert "http://console.example.kz/setup" not in made.text
    desk.close()


@pytest.mark.parametrize(("proxies", "free"), [("127.0.0.1", True), ("", False)])
def test_attempts_are_counted_by_who_asks_only_where_a_proxy_we_know_says_so(desk: Desk, proxies: str, free: bool) -> None:
    """Over a real socket: behind a proxy all would share one count; without one, anybody could claim to be somebody else."""
    listening = serving.listen("127.0.0.1", 0)
    server = serving.server(application(desk), proxies)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        while not server.started:
            time.sleep(0.01)

        def tried(address: str) -> int:
            headers = {"x-forwarded-for": address}
            return httpx.post(f"{url}/sign-in", data={"name": "x", "password": "x"}, headers=headers).status_code

        assert {tried("203.0.113.1") for _ in range(30)} == {403}
        assert tried("203.0.113.1") == 429
        assert tried("203.0.113.2") == (403 if free else 429)
    finally:
        server.should_exit = True
        thread.join(10)


@pytest.mark.parametrize("before", ["²", "9" * 40, "-1", "1e3", "1'"])
def test_a_number_that_is_none_is_refused(desk: Desk, sign_in: SignIn, before: str) -> None:
    assert sign_in("auditor").get("/audit", params={"before": before}).status_code == 422


def test_no_page_of_the_door_carries_its_query_on(desk: Desk) -> None:
    with browser(desk) as client:
        for path in ("/sign-in?code=abc", "/setup?token=abc", "/sign-in/provider/back?code=abc"):
            assert "abc" not in client.get(path).text
