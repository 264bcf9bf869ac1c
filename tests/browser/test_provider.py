"""Signing in through the organisation's provider, in a real browser: there, back, out; and changing a password."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from streams.clock import now_ms
from streams.console import serving
from streams.console.app import application
from streams.console.desk import Desk, furnish
from streams.policy.load import load
from streams.settings import Settings
from tests.browser.conftest import poll
from tests.browser.test_access import found_by_axe
from tests.contract.oidc_provider import CLIENT_ID, CLIENT_SECRET, Running, provider
from tests.unit.console.conftest import CHEAP, PASSWORD

pytestmark = pytest.mark.integration

PEOPLE = {"u-1": {"preferred_username": "aigerim", "groups": ["border"]}, "u-2": {"preferred_username": "guest", "groups": []}}


@dataclass(frozen=True)
class Served:
    """A console without a stack, on a socket.

    Attributes:
        desk: its parts.
        url: where.
        provider: where people sign in.
    """

    desk: Desk
    url: str
    provider: Running


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with provider() as running:
        running.people(PEOPLE)
        settings = Settings(
            home=tmp_path_factory.mktemp("home"),
            console_oidc_issuer=running.issuer,
            console_oidc_client_id=CLIENT_ID,
            console_oidc_client_secret=CLIENT_SECRET,  # type: ignore[arg-type]
            console_oidc_roles='{"border": "operator"}',
        )
        desk = furnish(settings, load("kz"), hasher=CHEAP)
        listening = serving.listen("127.0.0.1", 0)
        server = serving.server(application(desk))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        poll(lambda: server.started)
        try:
            yield Served(desk, f"http://127.0.0.1:{listening.getsockname()[1]}", running)
        finally:
            server.should_exit = True
            thread.join(20)
            desk.close()


@pytest.fixture
def page(served: Served, chromium: Any) -> Iterator[Any]:
    context = chromium.new_context(base_url=served.url, locale="en-GB", bypass_csp=True)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("scripts", [True, False])
def test_an_officer_signs_in_and_out_through_the_provider(served: Served, chromium: Any, scripts: bool) -> None:
    context = chromium.new_context(base_url=served.url, locale="en-GB", java_script_enabled=scripts)
    page = context.new_page()
    broken: list[str] = []
    page.on("console", lambda message: broken.append(message.text) if message.type == "error" else None)
    page.goto("/")
    page.click("#provider")
    page.wait_for_url(f"{served.provider.issuer}/authorize**")
    page.fill("#person", "u-1")
    page.click("button")
    page.wait_for_url(f"{served.url}/")
    assert "aigerim" in page.locator(".who").inner_text()
    cookies = {one["name"]: one for one in context.cookies(served.url)}
    assert "shekara_provider" not in cookies
    assert cookies["shekara_session"]["httpOnly"]
    page.goto("/feed")
    assert page.locator("nav a[href='/accounts']").count() == 0
    page.goto("/")
    page.click("form[action='/sign-out'] button")
    page.wait_for_url("**/sign-in?left=1")
    page.click("main [role=status] a")
    page.wait_for_url(f"{served.provider.issuer}/end**")
    page.click("a")
    page.wait_for_url(f"{served.url}/sign-in")
    assert [text for text in broken if "Content Security Policy" in text] == []
    context.close()


def test_who_has_no_role_reads_why_and_is_not_in(served: Served, page: Any) -> None:
    page.goto("/sign-in")
    page.click("#provider")
    page.fill("#person", "u-2")
    page.click("button")
    page.wait_for_selector("[role=alert]")
    assert "has no role here" in page.locator("[role=alert]").inner_text()
    assert found_by_axe(page) == []
    page.goto("/")
    assert page.url.endswith("/sign-in")


def test_an_officer_changes_their_password(served: Served, page: Any) -> None:
    _, token = served.desk.accounts.invite("dana", "operator", "", now_ms())
    served.desk.accounts.accept(token, PASSWORD, now_ms())
    page.goto("/sign-in")
    assert found_by_axe(page) == []
    page.fill("#name", "dana")
    page.fill("#password", PASSWORD)
    page.click("button.main")
    page.click(".who")
    page.click("main a[href='/password']")
    assert found_by_axe(page) == []
    page.fill("#old", PASSWORD)
    page.fill("#password", "another quiet border at dawn")
    page.fill("#again", "another quiet border at dawn")
    page.click("button.main")
    page.wait_for_url("**/password?done=1")
    assert "is changed" in page.locator("[role=status]").inner_text()
    assert served.desk.accounts.let_in("dana", "another quiet border at dawn", now_ms())
    assert found_by_axe(page) == []


def test_files_of_the_home_are_the_owners_alone(served: Served) -> None:
    folder = Path(served.desk.settings.home) / "console"
    assert [path.name for path in folder.iterdir() if path.stat().st_mode & 0o077] == []
