"""Employers, posts and the map, opened by somebody who works with them, with data behind every figure."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pydantic import SecretStr

from streams.console.overview import TILES
from streams.console.reading import Reading
from streams.documents import TravelDocument
from streams.records import EmployerDeclaration, LabourContract, WorkPermit
from streams.settings import Settings
from streams.vault import open_vault
from tests.browser.conftest import Open, Running, poll
from tests.browser.test_access import found_by_axe
from tests.browser.test_console_pages import REPEATED_IDS, alert_of, keep, log_now, send
from tests.browser.test_triage import workers_found
from tests.unit.console.test_country_map import country

pytestmark = pytest.mark.integration

DAY_MS = 86_400_000
SHARE = "employer_citizen_share"


def below_the_share(demo: Running, employer: str) -> dict[str, Any]:
    """Sends an employer's declaration below the least share of citizens; returns the alert."""
    at = log_now(demo) - 3_600_000
    declared = EmployerDeclaration(
        uuid4().bytes, employer, at, at, "register:labour", 1,
        at // DAY_MS - 1, "KZ-75", "F", "medium", 70, 0, 31, 0,
    )  # fmt: skip
    send(demo, declared)
    return alert_of(demo, employer, SHARE)


def test_an_employers_dossier_shows_workers_permits_share_declarations_and_alerts(
    demo: Running, sign_in: Open, screenshots: Path | None
) -> None:
    employer, subjects = workers_found(demo, 3)
    at = log_now(demo) - 2 * 3_600_000
    today = at // DAY_MS
    permit = WorkPermit(
        uuid4().bytes, subjects[0], at, at, "register:permits", 1,
        "issued", uuid4().bytes, "employer", "3", employer, "KZ-75", "F", today - 5, today + 60,
    )  # fmt: skip
    contract = LabourContract(
        uuid4().bytes, subjects[1], at, at, "register:contracts", 1,
        "concluded", uuid4().bytes, employer, "KAZ", "KZ-75", "F", today - 5, None,
    )  # fmt: skip
    send(demo, permit, contract)
    below_the_share(demo, employer)
    for view in ("core_work_permit", "core_labour_contract"):
        asked = f"SELECT 1 FROM {view} WHERE employer = '{employer}'"  # noqa: S608
        poll(lambda sql=asked: Reading(demo.settings).ask(sql))  # type: ignore[misc]
    page = sign_in("operator")
    page.goto(f"/alerts/{alert_of(demo, subjects[2])['alert_id']}")
    page.click("a[href$='/employer']")
    figures = page.locator("#people + dl dd").evaluate_all("all => all.map(one => Number(one.textContent))")
    assert figures == [1, 1, 3], "a permit in force, a contract that runs, three found at work"
    permits = page.inner_text("section:has(#permits) tbody")
    assert "3" in permits
    assert page.locator("section:has(#share) .trouble").count() == 1, "69 % of 70 %: the page says it is below"
    assert page.locator("h2 + table tbody tr").count() >= 1, "the declaration itself"
    assert page.locator("main > ul li").count() >= 3
    assert page.evaluate(REPEATED_IDS) == []
    assert employer not in page.url
    keep(page, "employer", screenshots)


def test_how_an_employers_check_ends_leaves_as_an_event_and_comes_back_into_queue_dossier_and_mart(
    demo: Running, sign_in: Open
) -> None:
    employer = f"e1-{uuid4().hex}"
    alert = below_the_share(demo, employer)
    row = f"#a-{alert['alert_id']}"
    confirmed = confirmed_by_officers(demo)
    page = sign_in("operator")
    page.goto(f"/feed?rule={SHARE}")
    page.check(f"{row} input[name=alert]")
    page.click("#proceed")
    page.check("input[value=employer_check]")
    page.fill("#reason", "The share is below what the law asks for")
    page.click("main button.main")
    page.check("input[value=put_in_order]")
    page.fill("#reason", "Eight citizens were hired, the contracts were shown")
    page.click("text=End with this outcome")
    assert "was sent" in page.inner_text("main")
    reading = Reading(demo.settings)
    [event] = poll(lambda: reading.employer_decisions("alert_id", str(alert["alert_id"])))
    assert (event["decision"], event["alert_version"]) == ("put_in_order", alert["version"])
    assert event["officer"].startswith("o1-")
    assert confirmed_by_officers(demo) == confirmed + 1
    page.goto(f"/feed?rule={SHARE}")
    assert page.locator(row).count() == 0, "what is decided has left the queue"
    page.goto(f"/feed?rule={SHARE}&state=open")
    assert page.locator(row).count() == 1, "the alert itself is a matter of facts, and stands"
    page.goto(f"/alerts/{alert['alert_id']}")
    assert "Eight citizens were hired" in page.inner_text("#decided + ul")
    page.click("a[href$='/employer']")
    assert "Put in order" in page.inner_text("#decided + ul")
    # A later declaration that is worse still is another version: nothing is decided about it.
    at = log_now(demo) - 1_800_000
    worse = EmployerDeclaration(
        uuid4().bytes, employer, at, at, "register:labour", 2,
        at // DAY_MS, "KZ-75", "F", "medium", 60, 0, 50, 0,
    )  # fmt: skip
    send(demo, worse)
    poll(lambda: alert_of(demo, employer, SHARE)["version"] > alert["version"])
    page.goto(f"/feed?rule={SHARE}")
    assert page.locator(row).count() == 1, "it is back in the queue"


def confirmed_by_officers(demo: Running) -> int:
    rows = Reading(demo.settings).ask(f"SELECT confirmed, by_officers FROM mart_rule_precision WHERE rule = '{SHARE}'")  # noqa: S608
    return min(int(rows[0]["confirmed"]), int(rows[0]["by_officers"])) if rows else 0


def test_a_posts_page_shows_its_flow_lateness_and_how_far_it_vouches(sign_in: Open, screenshots: Path | None) -> None:
    page = sign_in("operator")
    page.goto("/posts")
    assert page.locator("tbody tr").count() > 3
    keep(page, "posts", screenshots)
    page.locator("tbody th a").first.click()
    page.wait_for_selector("h1 code")
    assert page.locator("section:has(#flows) tbody tr").count() > 5, "days with crossings"
    assert page.locator("section:has(#flows) svg[role=img]").count() == 1
    assert page.locator("section:has(#late) tbody tr").count() >= 1
    assert page.locator("dl dd").count() == 4, "oblast, complete through, silent, uncovered"
    keep(page, "post", screenshots)


@pytest.fixture
def second_console(demo: Running, tmp_path: Path) -> Iterator[str]:
    """Starts a second console over the same stack, with an invented map and a vault; yields its address."""
    path = tmp_path / "oblasts.geojson"
    path.write_text(json.dumps(country()), encoding="utf-8")
    key = tmp_path / "vault.key"
    key.touch(mode=0o600)
    key.write_text(secrets.token_hex(32), encoding="ascii")
    log = tmp_path / "log"
    given = {"SHEKARA_MAP_FILE": str(path), "SHEKARA_VAULT_KEY_FILE": str(key), "SHEKARA_VAULT": str(tmp_path / "vault.db")}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "streams", "console"],
            stdout=output,
            stderr=output,
            env=os.environ | given | {"SHEKARA_HOME": str(demo.settings.home)},
        )
    try:
        deadline = time.monotonic() + 60
        while not (found := [line.split()[1] for line in log.read_text().splitlines() if line.startswith("console http")]):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield found[0]
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)


@pytest.fixture
def page_of_second(demo: Running, chromium: Any, second_console: str) -> Iterator[Any]:
    """Yields a page of an operator signed in at the second console."""
    context = chromium.new_context(base_url=second_console, locale="en-GB", bypass_csp=True)
    page = context.new_page()
    page.goto("/sign-in")
    page.fill("#name", "operator")
    page.fill("#password", demo.password)
    page.click("button.main")
    page.wait_for_url("**/")
    yield page
    context.close()


def test_document_data_are_shown_masked_with_a_reason_and_in_the_audit(
    demo: Running, sign_in: Open, page_of_second: Any, tmp_path: Path, screenshots: Path | None
) -> None:
    _, [subject] = workers_found(demo, 1)
    alert = alert_of(demo, subject)
    settings = Settings(
        home=demo.settings.home, vault_key_file=tmp_path / "vault.key", vault=SecretStr(str(tmp_path / "vault.db"))
    )
    vault = open_vault(settings)
    assert vault is not None
    document = TravelDocument("UZB", "AB1234567", "TESTOV", "INVENTED", "UZB", "1990-05-17", "M", "2031-01-01")
    vault.keep([(subject, document)])
    vault.close()
    page = page_of_second
    page.goto(f"/alerts/{alert['alert_id']}")
    assert "TESTOV" not in page.content()
    page.goto(f"/alerts/{alert['alert_id']}/person")
    page.fill("#reason", "x")
    page.evaluate("document.querySelector('#reason').removeAttribute('minlength')")
    page.click("main button.main")
    assert page.locator("#documents").count() == 0, "without a reason nothing is shown"
    reason = f"the embassy asks {uuid4().hex[:6]}"
    page.fill("#reason", reason)
    page.click("main button.main")
    shown = page.inner_text("section:has(#documents) tbody")
    assert "AB•••67" in shown
    assert "T••• I•••" in shown
    assert "1990" in shown
    for hidden in ("AB1234567", "TESTOV", "INVENTED", "05-17"):
        assert hidden not in page.content()
    assert found_by_axe(page) == []
    keep(page, "person", screenshots)
    auditor = sign_in("auditor")
    auditor.goto("/audit")
    told = auditor.locator("tbody tr", has_text=reason).all_inner_texts()
    assert any("vault_shown" in one for one in told)
    assert subject not in auditor.content()


def test_a_map_that_was_given_is_drawn_without_a_script_and_says_what_the_table_says(
    demo: Running, page_of_second: Any, screenshots: Path | None
) -> None:
    workers_found(demo, 1)  # of KZ-75
    page = page_of_second
    page.goto("/overview")
    assert page.locator("svg.map path").count() == len(TILES)
    assert page.locator("script").count() == 0
    drawn = page.locator("svg.map title").evaluate_all("all => all.map(one => one.textContent)")
    cells = "rows => rows.map(row => [...row.cells].slice(0, 2).map(cell => cell.textContent))"
    told = page.locator("section:has(svg.map) tbody tr").evaluate_all(cells)
    counts = {name: int(number.replace(",", "")) for name, number in told}
    assert {one.rpartition(": ")[0]: int(one.rpartition(": ")[2]) for one in drawn}.items() <= counts.items()
    assert sum(counts.values()) > 0
    assert found_by_axe(page) == []
    keep(page, "overview-map", screenshots)


def test_every_picture_has_a_table_beside_it(demo: Running, sign_in: Open) -> None:
    _, subjects = workers_found(demo, 1)
    page = sign_in("operator")
    seen = 0
    page.goto("/posts")
    post = page.locator("tbody th a").first.get_attribute("href")
    for path in ("/overview", post, f"/alerts/{alert_of(demo, subjects[0])['alert_id']}"):
        page.goto(path)
        pictures = page.locator("main svg[role=img]")
        seen += pictures.count()
        for number in range(pictures.count()):
            beside = pictures.nth(number).locator("xpath=ancestor::section[1]//table")
            assert beside.count() == 1, path
            assert beside.locator("tbody tr").count() > 0, path
    assert seen >= 4
