"""Everybody can use every page: axe-core finds nothing (WCAG 2.2 AA), light and dark, at 200 %, on a phone, on paper."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Open

pytestmark = pytest.mark.integration

STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
DETAILS = (
    ("/feed?state=all", "tbody th a"),
    ("/cases", "tbody th a"),
    ("/posts", "tbody th a"),
    ("/posts", "main a.door"),
    ("/sources", "tbody th a"),
)
"""Lists, and the link to the first of what they list or lead to."""


def pages_of(page: Any) -> list[str]:
    """Returns every page a role reaches by its menu, its own second factor and password, and the first of every list."""
    paths = [
        "/",
        "/second-factor",
        "/password",
        *page.locator("header nav a").evaluate_all("all => all.map(one => one.getAttribute('href'))"),
    ]
    for listed, link in DETAILS:
        if listed.split("?")[0] in paths:
            page.goto(listed)
            if page.locator(link).count():
                paths.append(page.locator(link).first.get_attribute("href"))
    for path in [one for one in paths if one.startswith("/alerts/")]:
        page.goto(path)
        hrefs = page.locator("main a").evaluate_all("all => all.map(one => one.getAttribute('href'))")
        paths += [href for href in hrefs if href.endswith(("/person", "/employer"))]
    return paths


def found_by_axe(page: Any) -> list[str]:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    found = axe.run(page, options={"runOnly": STANDARDS}).response["violations"]
    return [
        f"{page.url}: {one['id']}: {node['html'][:120]} {node['failureSummary'][:200]}" for one in found for node in one["nodes"]
    ]


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("role", ["operator", "supervisor", "auditor", "administrator"])
def test_axe_finds_nothing_on_any_page(sign_in: Open, role: str, colours: str) -> None:
    # axe is put into the page by the test; the page's own policy would refuse any script but ours.
    page = sign_in(role, bypass_csp=True, color_scheme=colours)
    found = []
    for path in pages_of(page):
        page.goto(path)
        found += found_by_axe(page)
    assert found == []


def test_axe_finds_nothing_at_the_door(sign_in: Open, screenshots: Path | None) -> None:
    page = sign_in("analyst", bypass_csp=True)
    page.context.clear_cookies()
    page.goto("/sign-in")
    assert found_by_axe(page) == []
    if screenshots is not None:
        page.screenshot(path=screenshots / "sign-in.png", full_page=True)


@pytest.mark.parametrize("width", [640, 320])
def test_pages_fit_at_200_percent_and_on_a_small_phone(sign_in: Open, width: int) -> None:
    page = sign_in("operator", viewport={"width": width, "height": 512})
    too_wide = []
    for path in pages_of(page):
        page.goto(path)
        if not page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
            too_wide.append(path)
    assert too_wide == []


def test_paper_shows_the_content_without_the_controls(sign_in: Open) -> None:
    page = sign_in("operator")
    page.emulate_media(media="print")
    for path in ("/overview", "/feed", "/posts", "/sources"):
        page.goto(path)
        assert not page.locator("header").first.is_visible(), path
        assert page.locator("h1").is_visible(), path
        assert page.locator("main button:visible").count() == 0, path
