"""Signing in at an organisation's own provider: a real one over HTTP, honest and bent."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pyotp
import pytest
from starlette.testclient import TestClient

from streams.clock import now_ms
from streams.console.desk import Desk, furnish
from streams.console.provider import ATTEMPT_MS
from streams.console.serving import first_link
from streams.errors import SetupError
from streams.policy.load import load
from streams.settings import Settings
from tests.contract.oidc_provider import CLIENT_ID, CLIENT_SECRET, Running, provider
from tests.contract.postgresql import certificates
from tests.unit.console.conftest import CHEAP, PASSWORD, browser, csrf_of

pytestmark = pytest.mark.integration

ROLES = {
    "border": "operator",
    "chiefs": "supervisor",
    "atyrau": "oblast_operator KZ-23",
    "control": "auditor",
    "numbers": "analyst",
}
PEOPLE: dict[str, dict[str, Any]] = {
    "u-1": {"preferred_username": "Aigerim.S", "groups": ["everybody", "border"]},
    "u-2": {"preferred_username": "dana", "groups": ["atyrau"]},
    "u-3": {"preferred_username": "nurlan", "groups": ["everybody"]},
    "u-4": {"preferred_username": "both", "groups": ["border", "control"]},
    "u-5": {"preferred_username": "chief", "groups": ["chiefs"]},
    "u-6": {"groups": "numbers"},
    "u-7": {"preferred_username": "administrator", "groups": ["border"]},
    "u-8": {"preferred_username": "strange", "groups": {"border": True}},
}
BACK = "/sign-in/provider/back"


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with provider() as made:
        yield made


@pytest.fixture
def honest(running: Running) -> Running:
    running.bend()
    running.people(PEOPLE)
    return running


def settings_of(issuer: str, home: Path, **more: Any) -> Settings:
    given: dict[str, Any] = {
        "console_oidc_issuer": issuer,
        "console_oidc_client_id": CLIENT_ID,
        "console_oidc_client_secret": CLIENT_SECRET,
        "console_oidc_roles": json.dumps(ROLES),
    }
    return Settings(home=home, **(given | more))


@pytest.fixture
def desk(honest: Running, tmp_path: Path) -> Iterator[Desk]:
    made = furnish(settings_of(honest.issuer, tmp_path), load("kz"), hasher=CHEAP)
    yield made
    made.close()


def begin(client: TestClient) -> str:
    """Returns where the console sends the browser."""
    answer = client.get("/sign-in/provider")
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def there_and_back(client: TestClient, provider: Running, who: str) -> httpx.Response:
    """Signs in as somebody and returns the console's answer to what the provider sent back."""
    back = urlsplit(provider.consent(begin(client), who))
    answer: httpx.Response = client.get(f"{back.path}?{back.query}")
    return answer


def why(desk: Desk) -> list[str]:
    return [line.reason for line in desk.audit.lines() if line.action == "sign_in_provider_refused"]


def test_who_the_provider_vouches_for_is_in_with_their_role_and_name(desk: Desk, honest: Running) -> None:
    with browser(desk) as client:
        assert 'href="/sign-in/provider"' in client.get("/sign-in").text
        answer = there_and_back(client, honest, "u-1")
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        page = client.get("/").text
    assert "aigerim.s" in page
    account = next(one for one in desk.accounts.all() if one.name == "aigerim.s")
    assert (account.role, account.oblast, account.issuer, account.has_password) == ("operator", "", honest.issuer, False)
    assert [line.actor for line in desk.audit.lines() if line.action == "sign_in_provider"] == [account.officer]
    assert desk.audit.verify()


def test_an_oblast_operator_gets_the_oblast_and_a_text_claim_will_do(desk: Desk, honest: Running) -> None:
    for who in ("u-2", "u-6"):
        with browser(desk) as client:
            assert there_and_back(client, honest, who).headers["location"] == "/"
    assert {(one.role, one.oblast) for one in desk.accounts.all()} == {("oblast_operator", "KZ-23"), ("analyst", "")}


def test_the_same_person_is_the_same_account_and_has_the_role_of_today(desk: Desk, honest: Running) -> None:
    with browser(desk) as first, browser(desk) as second:
        there_and_back(first, honest, "u-1")
        officer = desk.accounts.all()[0].officer
        honest.people(PEOPLE | {"u-1": {"preferred_username": "another-name", "groups": ["numbers"]}})
        there_and_back(second, honest, "u-1")
        (account,) = desk.accounts.all()
        assert (account.role, account.officer) == ("analyst", officer)
        told = [(line.action, line.reason) for line in desk.audit.lines() if line.object == account.id and line.actor == "system"]
        assert told == [("account_role_changed", "operator → analyst"), ("account_made_by_provider", "operator")]
        assert first.get("/").headers["location"] == "/sign-in", "what was begun under another role is not gone on with"
        assert second.get("/").status_code == 200


@pytest.mark.parametrize(("who", "key"), [("u-3", "no_role"), ("u-8", "no_role"), ("u-4", "several_roles")])
def test_who_has_no_role_or_several_is_refused_clearly(desk: Desk, honest: Running, who: str, key: str) -> None:
    with browser(desk) as client:
        answer = there_and_back(client, honest, who)
        assert answer.status_code == 403
        sentences = {"no_role": "has no role here", "several_roles": "gives several roles"}
        assert sentences[key] in answer.text
        assert client.get("/").headers["location"] == "/sign-in"
    assert why(desk) == [key]
    assert desk.accounts.all() == []


BENT: list[tuple[str, dict[str, Any]]] = [
    ("nonce", {"claims": {"nonce": "of another browser"}}),
    ("nonce", {"drop": ["nonce"]}),
    ("audience", {"claims": {"aud": "another-client"}}),
    ("audience", {"claims": {"aud": [CLIENT_ID, "another-client"]}}),
    ("audience", {"claims": {"azp": "another-client"}}),
    ("audience", {"drop": ["aud"]}),
    ("issuer", {"claims": {"iss": "https://another.example"}}),
    ("issuer", {"drop": ["iss"]}),
    ("expired", {"shift": {"exp": -120}}),
    ("expired", {"drop": ["exp"]}),
    ("time", {"shift": {"iat": -3600}}),
    ("time", {"shift": {"iat": 3600}}),
    ("time", {"shift": {"nbf": 3600}}),
    ("algorithm", {"sign": "none"}),
    ("algorithm", {"sign": "HS256"}),
    ("signature", {"sign": "other_key"}),
    ("unknown_key", {"header": {"kid": "nobody's"}}),
    ("subject", {"claims": {"sub": ""}}),
    ("subject", {"claims": {"sub": "x" * 300}}),
    ("form", {"header": {"crit": ["exp"]}}),
]


@pytest.mark.parametrize(("word", "how"), BENT, ids=lambda value: str(value)[:40])
def test_a_token_that_is_not_what_was_asked_for_lets_nobody_in(
    desk: Desk, honest: Running, word: str, how: dict[str, Any]
) -> None:
    honest.bend(**how)
    with browser(desk) as client:
        answer = there_and_back(client, honest, "u-1")
        assert answer.status_code == 403
        assert "was not accepted" in answer.text
        assert client.get("/").headers["location"] == "/sign-in"
    assert why(desk) == [word]
    assert desk.accounts.all() == []


@pytest.mark.parametrize(
    ("word", "how"),
    [
        ("issuer", {"issuer": "https://another.example"}),
        ("description", {"token_endpoint": "http://another.example/token"}),
        ("description", {"jwks_uri": "ftp://127.0.0.1/keys"}),
        ("description", {"authorization_endpoint": None}),
    ],
)
def test_a_provider_that_describes_itself_wrongly_is_not_gone_to(
    desk: Desk, honest: Running, word: str, how: dict[str, Any]
) -> None:
    honest.bend(description=how)
    with browser(desk) as client:
        assert client.get("/sign-in/provider").status_code == 403
    assert why(desk) == [word]


def test_an_answer_is_good_once_and_only_for_the_browser_that_asked(desk: Desk, honest: Running) -> None:
    with browser(desk) as client, browser(desk) as other:
        url = begin(client)
        back = urlsplit(honest.consent(url, "u-1"))
        assert other.get(f"{back.path}?{back.query}").status_code == 403, "somebody else's answer"
        begin(other)
        assert other.get(f"{back.path}?{back.query}").status_code == 403, "with an attempt of one's own"
        assert client.get(f"{back.path}?{back.query}").headers["location"] == "/"
        cookie = client.cookies.get("shekara_provider")
        assert cookie is None
    assert why(desk) == ["state", "state"]


def test_a_code_used_before_opens_nothing(desk: Desk, honest: Running) -> None:
    with browser(desk) as first, browser(desk) as thief:
        back = parse_qs(urlsplit(honest.consent(begin(first), "u-1")).query)
        assert first.get(BACK, params={"code": back["code"][0], "state": back["state"][0]}).headers["location"] == "/"
        state = parse_qs(urlsplit(begin(thief)).query)["state"][0]
        assert thief.get(BACK, params={"code": back["code"][0], "state": state}).status_code == 403
        # A code nobody used yet is bound to the browser that asked, by PKCE.
        fresh = parse_qs(urlsplit(honest.consent(begin(first), "u-1")).query)["code"][0]
        state = parse_qs(urlsplit(begin(thief)).query)["state"][0]
        assert thief.get(BACK, params={"code": fresh, "state": state}).status_code == 403
    assert why(desk) == ["code", "code"]


def test_the_store_keeps_nothing_an_attempt_could_be_finished_with(desk: Desk) -> None:
    with browser(desk) as client:
        asked = parse_qs(urlsplit(begin(client)).query)
        token = client.cookies["shekara_provider"]
    kept = str(desk.store.rows("SELECT * FROM provider_attempt"))
    assert all(secret not in kept for secret in (token, asked["state"][0], asked["nonce"][0], asked["code_challenge"][0]))
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["response_type"] == ["code"]


def test_an_attempt_ends_after_a_while(desk: Desk, honest: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    with browser(desk) as client:
        back = urlsplit(honest.consent(begin(client), "u-1"))
        with desk.store.writing() as writer:
            writer.run("UPDATE provider_attempt SET until_at = until_at - ?", ATTEMPT_MS)
        assert client.get(f"{back.path}?{back.query}").status_code == 403
    assert why(desk) == ["state"]


def test_who_says_no_at_the_provider_is_told_so(desk: Desk, honest: Running) -> None:
    with browser(desk) as client:
        answer = there_and_back(client, honest, "nobody")
        assert answer.status_code == 403
        assert "did not let you through" in answer.text
    assert why(desk) == ["denied"]


def test_an_answer_of_another_issuer_is_refused(desk: Desk, honest: Running) -> None:
    with browser(desk) as client:
        back = urlsplit(honest.consent(begin(client), "u-1"))
        assert client.get(f"{back.path}?{back.query}&iss=https://another.example").status_code == 403
    assert why(desk) == ["issuer"]


def test_a_new_key_of_the_provider_is_fetched(desk: Desk, honest: Running) -> None:
    with browser(desk) as client:
        assert there_and_back(client, honest, "u-1").headers["location"] == "/"
    honest.rotate()
    assert desk.provider is not None
    desk.provider._keys = desk.provider._keys and (desk.provider._keys[0], desk.provider._keys[1] - 60_000)
    with browser(desk) as client:
        assert there_and_back(client, honest, "u-1").headers["location"] == "/"


def test_a_provider_that_is_away_leaves_the_local_accounts(desk: Desk, honest: Running, tmp_path: Path) -> None:
    link = first_link(desk, "http://127.0.0.1")
    with browser(desk) as client:
        token = link.partition("=")[2]
        client.post("/setup", data={"token": token, "password": PASSWORD, "again": PASSWORD})
        honest.bend(down=True)
        answer = there_and_back(client, honest, "u-1")
        assert answer.status_code == 503
        assert "local accounts work" in answer.text
        assert client.post("/sign-in", data={"name": "administrator", "password": PASSWORD}).headers["location"] == "/"
    away = furnish(settings_of("http://127.0.0.1:1", tmp_path / "away"), load("kz"), hasher=CHEAP)
    with browser(away) as client:
        assert client.get("/sign-in/provider").status_code == 503
    away.close()


def test_a_local_accounts_name_stays_its_owners(desk: Desk, honest: Running) -> None:
    _, token = desk.accounts.invite("aigerim.s", "operator", "", now_ms())
    desk.accounts.accept(token, PASSWORD, now_ms())
    with browser(desk) as client:
        there_and_back(client, honest, "u-1")
        there_and_back(client, honest, "u-7")
    names = sorted(one.name for one in desk.accounts.all())
    assert len(names) == 3
    assert "administrator" not in names, "the first local administrator's name is not the provider's to give"
    assert first_link(desk, "http://127.0.0.1") == ""


def test_a_person_whom_the_administrator_disabled_stays_out(desk: Desk, honest: Running) -> None:
    with browser(desk) as client:
        there_and_back(client, honest, "u-1")
        desk.accounts.disable(desk.accounts.all()[0].id, disabled=True)
        assert client.get("/").headers["location"] == "/sign-in"
        answer = there_and_back(client, honest, "u-1")
        assert answer.status_code == 403
        assert "disabled" in answer.text
    assert why(desk) == ["disabled"]


def test_the_second_factor_of_a_role_is_asked_for_here_too(desk: Desk, honest: Running) -> None:
    with browser(desk) as client:
        assert there_and_back(client, honest, "u-5").headers["location"] == "/"
        assert client.get("/").headers["location"] == "/second-factor"
        page = client.get("/second-factor")
        secret = re.sub(r"\s", "", re.findall(r"<code>([A-Z2-7 ]+)</code>", page.text)[0])
        code = pyotp.TOTP(secret).at(now_ms() // 1000 - 30)
        assert client.post("/second-factor", data={"csrf": csrf_of(page), "code": code}).status_code == 200
    with browser(desk) as client:
        assert there_and_back(client, honest, "u-5").headers["location"] == "/sign-in/code"
        assert client.get("/").headers["location"] == "/sign-in"
        code = pyotp.TOTP(secret).at(now_ms() // 1000 + 30)
        assert client.post("/sign-in/code", data={"code": code}).headers["location"] == "/"


def test_no_password_and_no_link_is_made_for_who_comes_from_the_provider(desk: Desk, honest: Running) -> None:
    with browser(desk) as client:
        there_and_back(client, honest, "u-1")
        page = client.get("/password")
        assert "by your organisation" in page.text
        form = {"csrf": csrf_of(page), "old": "", "password": PASSWORD, "again": PASSWORD}
        assert client.post("/password", data=form).status_code == 422
        assert client.post("/sign-in", data={"name": "aigerim.s", "password": "", "csrf": form["csrf"]}).status_code == 403


def test_signing_out_ends_the_session_and_offers_to_leave_the_provider_too(desk: Desk, honest: Running) -> None:
    with browser(desk) as client:
        there_and_back(client, honest, "u-1")
        left = client.post("/sign-out", data={"csrf": csrf_of(client.get("/"))}).headers["location"]
        assert left == "/sign-in?left=1"
        assert f'href="{honest.issuer}/end?client_id={CLIENT_ID}&amp;post_logout_redirect_uri=' in client.get(left).text
        assert client.get("/").headers["location"] == "/sign-in"


def test_the_way_to_the_provider_has_a_pace(desk: Desk) -> None:
    with browser(desk) as client:
        codes = [client.get("/sign-in/provider").status_code for _ in range(32)]
    assert codes[:30] == [303] * 30
    assert codes[30:] == [429] * 2


def test_what_went_wrong_is_in_the_log_without_code_token_or_name(
    desk: Desk, honest: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    honest.bend(claims={"nonce": "wrong"})
    with browser(desk) as client:
        back = honest.consent(begin(client), "u-1")
        code = parse_qs(urlsplit(back).query)["code"][0]
        page = client.get(back.removeprefix("http://127.0.0.1")).text
    said = capsys.readouterr()
    log = said.out + said.err
    assert "nonce" in log
    assert all(secret not in log + page for secret in (code, "Aigerim", "u-1", CLIENT_SECRET))


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"console_oidc_issuer": "http://idp.example"}, "expected https"),
        ({"console_oidc_issuer": "ftp://127.0.0.1"}, "expected https"),
        ({"console_oidc_issuer": "https://user:pw@idp.example"}, "expected https"),
        ({"console_oidc_client_id": ""}, "CLIENT_ID"),
        ({"console_oidc_roles": "{}"}, "no role"),
        ({"console_oidc_roles": "border=operator"}, "cannot be read"),
        ({"console_oidc_roles": '["operator"]'}, "cannot be read"),
        ({"console_oidc_roles": '{"border": 7}'}, "cannot be read"),
        ({"console_oidc_roles": '{"x": "king"}'}, "no role here"),
        ({"console_oidc_roles": '{"x": "oblast_operator"}'}, "no role here"),
        ({"console_oidc_roles": '{"x": "oblast_operator KZ-99"}'}, "no role here"),
        ({"console_oidc_roles": '{"x": "operator KZ-23"}'}, "no role here"),
    ],
)
def test_settings_that_will_not_do_are_told_at_the_start(tmp_path: Path, more: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SetupError, match=sentence):
        furnish(settings_of("https://idp.example", tmp_path, **more), load("kz"), hasher=CHEAP)


def test_an_https_provider_is_asked_only_if_its_certificate_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = tmp_path / "authority.pem"
    certificates(tmp_path, authority)
    with provider(tls=tmp_path) as running:
        for trusted in (False, True):
            if trusted:
                monkeypatch.setenv("SSL_CERT_FILE", str(authority))
            desk = furnish(settings_of(running.issuer, tmp_path / str(trusted)), load("kz"), hasher=CHEAP)
            with browser(desk) as client:
                assert client.get("/sign-in/provider").status_code == (303 if trusted else 503)
            desk.close()
