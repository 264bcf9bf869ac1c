"""The console in a real browser over a running stack: what officers do all night."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from streams.clock import now_ms
from streams.console.reading import Reading
from streams.console.rights import ROLES
from streams.publish.publisher import Publisher
from streams.records import BorderCrossing, Inspection, ProtectionStatus
from tests.browser.conftest import Open, Running, poll

pytestmark = pytest.mark.integration

LIVE_WITHIN_S = 2.0
REPEATED_IDS = "[...document.querySelectorAll('[id]')].map(one => one.id).filter((id, n, all) => all.indexOf(id) !== n)"


def log_now(demo: Running) -> int:
    """Returns the invented country's time."""
    return Reading(demo.settings).clock()


def send(demo: Running, *events: Any) -> None:
    with Publisher(demo.settings, source="test", linger_ms=0) as publisher:
        publisher.publish_many(events)


def worker_found(demo: Running, oblast: str, post: str) -> tuple[str, BorderCrossing, Inspection]:
    """Returns a new person who entered and was found at work without a permit: an established alert."""
    subject = f"p1-{uuid4().hex}"
    now = log_now(demo)
    entered = now - 3 * 86_400_000
    entry = BorderCrossing(
        uuid4().bytes,
        subject,
        entered,
        entered,
        f"post:{post}",
        1,
        "entry",
        post,
        "UZB",
        "private",
        "passport",
        "air",
        None,
        None,
    )
    at = now - 3_600_000
    found = Inspection(
        uuid4().bytes, subject, at, at, "inspectorate:test", 1,
        "worker_found", uuid4().bytes, oblast, f"e1-{uuid4().hex}", "F", None,
    )  # fmt: skip
    return subject, entry, found


def alert_of(demo: Running, subject: str, rule: str = "work_without_permit") -> dict[str, Any]:
    reading = Reading(demo.settings)
    wanted = f"SELECT * FROM alerts_now WHERE subject = '{subject}' AND rule = '{rule}'"  # noqa: S608
    found: list[dict[str, Any]] = poll(lambda: reading.ask(wanted))
    return found[0]


def test_a_live_alert_waits_behind_the_pill_and_moves_no_row(demo: Running, sign_in: Open) -> None:
    page = sign_in("operator")
    page.goto("/feed")
    page.wait_for_selector(".live-live")
    before = page.locator("#feed tbody tr").evaluate_all("rows => rows.map(row => row.dataset.id)")
    subject, *events = worker_found(demo, "KZ-75", "KZ-75-A1")
    begun = time.monotonic()
    send(demo, *events)
    page.wait_for_selector("#pill:not([hidden])", timeout=10_000)
    assert time.monotonic() - begun < LIVE_WITHIN_S
    waiting = int("".join(filter(str.isdigit, page.inner_text("#pill"))))
    others = [worker_found(demo, "KZ-75", "KZ-75-A1") for _ in range(2)]
    send(demo, *(event for _, *some in others for event in some))
    poll(lambda: int("".join(filter(str.isdigit, page.inner_text("#pill")))) >= waiting + 2)
    assert page.locator("#feed tbody tr").evaluate_all("rows => rows.map(row => row.dataset.id)") == before
    page.click("#pill")
    for one in (subject, *(other for other, *_ in others)):
        assert page.locator(f"#a-{alert_of(demo, one)['alert_id']}").count() == 1
    assert page.locator("#pill").is_hidden()


def test_triage_by_keys_in_any_layout_comes_back_through_the_stream(demo: Running, sign_in: Open) -> None:
    subject, *events = worker_found(demo, "KZ-75", "KZ-75-A1")
    send(demo, *events)
    alert = alert_of(demo, subject)
    page = sign_in("operator")
    page.goto("/feed?rule=work_without_permit&state=new")
    page.wait_for_selector(".live-live")
    row = page.locator(f"#a-{alert['alert_id']}")
    for _ in range(60):
        # A Russian layout types "о" where the key J is.
        page.evaluate("dispatchEvent.call(document.body, new KeyboardEvent('keydown', {code: 'KeyJ', key: 'о', bubbles: true}))")
        if row.get_attribute("aria-current") == "true":
            break
    assert row.get_attribute("aria-current") == "true"
    page.keyboard.press("x")
    assert row.locator("input").is_checked()
    page.keyboard.press("?")
    assert page.locator("#help").is_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    page.wait_for_url("**/feed?**done=**")
    poll(lambda: alert_of(demo, subject)["state"] == "acknowledged")


def test_an_alert_withdrawn_while_it_is_on_screen_says_so_in_place(demo: Running, sign_in: Open) -> None:
    subject, entry, found = worker_found(demo, "KZ-75", "KZ-75-A1")
    send(demo, entry, found)
    alert = alert_of(demo, subject)
    page = sign_in("operator")
    page.goto("/feed?rule=work_without_permit")
    page.wait_for_selector(".live-live")
    row = page.locator(f"#a-{alert['alert_id']}")
    assert row.count() == 1
    from streams.records import Correction

    at = found.recorded_at + 1
    send(demo, Correction(uuid4().bytes, subject, at, at, "inspectorate:test", 2, found.event_id, None, "data_entry"))
    page.wait_for_selector(f"#a-{alert['alert_id']}.retracted", timeout=15_000)
    assert "a record was corrected" in row.inner_text()


def test_an_alert_withdrawn_while_its_page_is_open_says_so_with_the_reason(demo: Running, sign_in: Open) -> None:
    subject, entry, found = worker_found(demo, "KZ-75", "KZ-75-A1")
    send(demo, entry, found)
    alert = alert_of(demo, subject)
    page = sign_in("operator")
    with page.expect_response("**/feed/live?**"):
        page.goto(f"/alerts/{alert['alert_id']}")
    assert page.locator("#changed").is_hidden()
    from streams.records import Correction

    at = found.recorded_at + 1
    send(demo, Correction(uuid4().bytes, subject, at, at, "inspectorate:test", 2, found.event_id, None, "data_entry"))
    page.wait_for_selector("#changed:not([hidden])", timeout=15_000)
    assert "a record was corrected" in page.inner_text("#changed")
    page.click("#changed a")
    assert "The alert was withdrawn" in page.inner_text("main")
    assert page.locator("#changed").is_hidden()


KEYS = {
    "k": "document.activeElement.closest('tr')?.getAttribute('aria-current') === 'true'",
    "s": "document.activeElement.id === 'f-severity'",
    "/": "document.activeElement.id === 'q'",
}


def test_every_key_does_what_the_help_says(demo: Running, sign_in: Open) -> None:
    subject, *events = worker_found(demo, "KZ-75", "KZ-75-A1")
    send(demo, *events)
    row = f"#a-{alert_of(demo, subject)['alert_id']}"
    feed = "/feed?rule=work_without_permit&state=new"
    page = sign_in("operator")
    page.goto(feed)
    page.wait_for_selector(".live-live")
    page.keyboard.press("?")
    told = page.locator("#help kbd").evaluate_all("all => all.map(one => one.textContent)")
    page.keyboard.press("Escape")
    tried = {"j", "x", "a", "?"}  # above
    for key, holds in KEYS.items():
        page.goto(feed)
        page.keyboard.press("j")
        page.keyboard.press(key)
        assert page.evaluate(holds), key
        tried.add(key)
    for key, where in (("z", "snooze"), ("c", "close"), ("p", "proceed")):
        page.goto(feed)
        page.check(f"{row} input[name=alert]")
        page.focus(f"{row} a")
        page.keyboard.press(key)
        page.wait_for_load_state()
        page.wait_for_selector("#reason")
        assert page.url.endswith("/proceedings/new" if where == "proceed" else "/feed/work"), key
        tried.add(key)
    page.goto(feed)
    page.check(f"{row} input[name=alert]")
    page.focus(f"{row} a")
    page.keyboard.press("t")
    page.wait_for_url("**/feed?**done=work**")
    assert page.inner_text(f"{row} .owner") == "operator"
    page.keyboard.press("u")
    page.wait_for_url("**/feed?**done=undone**")
    page.goto(feed)
    page.focus(f"{row} a")
    page.keyboard.press("Enter")
    page.wait_for_url("**/alerts/**")
    page.goto(feed)
    page.wait_for_selector(".live-live")
    send(demo, *worker_found(demo, "KZ-75", "KZ-75-A1")[1:])
    page.wait_for_selector("#pill:not([hidden])")
    page.keyboard.press("n")
    assert page.locator("#pill").is_hidden()
    page.keyboard.press("g")
    page.wait_for_url("**/feed/groups?**")
    assert set(told) == tried | {"t", "u", "Enter", "n", "g"}


def case_of(demo: Running, subject: str) -> dict[str, Any]:
    reading = Reading(demo.settings)
    found: list[dict[str, Any]] = poll(lambda: reading.ask(f"SELECT * FROM cases_now WHERE subject = '{subject}'"))  # noqa: S608
    return found[0]


def test_a_decision_leaves_as_an_event_and_comes_back_as_a_stage(demo: Running, sign_in: Open) -> None:
    subject, *events = worker_found(demo, "KZ-75", "KZ-75-A1")
    send(demo, *events)
    case = case_of(demo, subject)
    page = sign_in("operator", scripts=False)
    page.goto(f"/cases/{case['case_id']}")
    page.check("input[value=contacted]")
    page.fill("#reason", "Spoke with the employer and the worker")
    page.click("form[action$=decide] button")
    assert "was sent" in page.inner_text("main")
    poll(lambda: case_of(demo, subject)["stage"] == "contacted")
    row = Reading(demo.settings).decisions(case["case_id"])[0]
    assert row["officer"].startswith("o1-")
    assert row["decision"] == "contacted"


def test_the_interlock_refuses_a_forged_removal_of_a_protected_person(demo: Running, sign_in: Open) -> None:
    subject, *events = worker_found(demo, "KZ-75", "KZ-75-A1")
    at = log_now(demo)
    asylum = ProtectionStatus(uuid4().bytes, subject, at, at, "register:asylum", 1, "asylum_applied", uuid4().bytes, None)
    send(demo, *events, asylum)
    case = poll(lambda: (found := case_of(demo, subject))["protected"] and found)
    page = sign_in("supervisor")
    page.goto(f"/cases/{case['case_id']}")
    assert "road to removal is closed" in page.inner_text("main")
    offered = page.locator("input[name=decision]").evaluate_all("all => all.map(one => one.value)")
    assert not {"order_to_leave", "referral_proposed", "referral_confirmed", "removed"} & set(offered)
    csrf = page.locator("input[name=csrf]").first.get_attribute("value")
    for decision in ("order_to_leave", "referral_proposed", "referral_confirmed", "removed"):
        form = {"csrf": csrf, "decision": decision, "reason": "forged by hand"}
        answer = page.request.post(f"/cases/{case['case_id']}/decide", form=form, headers={"Accept-Language": "en"})
        assert answer.status == 403, decision
        assert "protected" in answer.text()
    assert Reading(demo.settings).decisions(case["case_id"]) == []


def test_an_oblast_operator_cannot_see_another_oblast_by_url(demo: Running, sign_in: Open) -> None:
    subject, *events = worker_found(demo, "KZ-75", "KZ-75-A1")
    send(demo, *events)
    alert, case = alert_of(demo, subject), case_of(demo, subject)
    page = sign_in("oblast-operator")  # of KZ-23
    csrf = page.locator("input[name=csrf]").first.get_attribute("value")
    for path in (f"/alerts/{alert['alert_id']}", f"/alerts/{alert['alert_id']}/row", f"/cases/{case['case_id']}"):
        assert page.request.get(path).status == 404, path
    for path in (f"/alerts/{alert['alert_id']}/person", f"/cases/{case['case_id']}/decide", f"/cases/{case['case_id']}/note"):
        answer = page.request.post(path, form={"csrf": csrf, "reason": "curious", "decision": "cleared", "content": "x"})
        assert answer.status == 404, path
    for act in ("acknowledge", "take", "assign", "snooze", "close"):
        form = {"csrf": csrf, "alert": str(alert["alert_id"]), "do": act}
        assert page.request.post("/feed/work", form=form).status == 404, act
    assert page.request.post("/search", form={"csrf": csrf, "q": subject}).status == 404
    assert page.request.post("/search", form={"csrf": csrf, "q": str(alert["alert_id"])}).status == 404
    pivot = page.request.get(f"/feed?state=all&same_person={alert['alert_id']}").text()
    assert f'id="a-{alert["alert_id"]}"' not in pivot
    assert 'class="alert' not in pivot, "who shares something with an alert beyond is not told either"
    assert str(alert["alert_id"]) not in page.request.get("/feed?state=all&oblast=KZ-75").text()


def test_everything_works_without_javascript(demo: Running, sign_in: Open) -> None:
    subject, *events = worker_found(demo, "KZ-75", "KZ-75-A1")
    send(demo, *events)
    alert = alert_of(demo, subject)
    page = sign_in("operator", scripts=False)
    page.goto("/feed")
    page.select_option("#f-rule", "work_without_permit")
    page.click("#filters button")
    assert "rule=work_without_permit" in page.url
    page.check(f"#a-{alert['alert_id']} input")
    page.click("#acknowledge")
    assert "was sent" in page.inner_text("main")
    poll(lambda: alert_of(demo, subject)["state"] == "acknowledged")


@pytest.mark.parametrize(("language", "title"), [("kk-KZ", "Дабылдар"), ("ru-RU", "Сигналы"), ("en-GB", "Alerts")])
def test_the_feed_speaks_three_languages(sign_in: Open, language: str, title: str) -> None:
    page = sign_in("operator", language=language)
    page.goto("/feed")
    assert page.inner_text("h1").startswith(title)
    assert page.get_attribute("html", "lang") == language[:2]


def test_a_look_at_a_persons_history_asks_why_and_is_in_the_audit(demo: Running, sign_in: Open, screenshots: Path | None) -> None:
    subject, *events = worker_found(demo, "KZ-75", "KZ-75-A1")
    send(demo, *events)
    alert = alert_of(demo, subject)
    page = sign_in("operator")
    page.goto(f"/alerts/{alert['alert_id']}/person")
    assert subject not in page.content()
    reason = f"asked by the prosecutor {now_ms()}"
    page.fill("#reason", reason)
    page.click("main button.main")
    assert subject in page.inner_text("main")
    assert "worker_found" in page.inner_text("main")
    assert subject not in page.url
    auditor = sign_in("auditor")
    auditor.goto("/audit")
    assert reason in auditor.inner_text("table")
    assert subject not in auditor.content()


@pytest.mark.parametrize("role", ROLES)
def test_no_page_breaks_its_own_policy(sign_in: Open, role: str, screenshots: Path | None) -> None:
    page = sign_in(role.replace("_", "-"))
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    paths = page.locator("header nav a").evaluate_all("all => all.map(one => one.getAttribute('href'))")
    assert paths
    for path in ["/", *paths]:
        page.goto(path)
        assert page.locator("h1").count() == 1, path
        assert page.evaluate(REPEATED_IDS) == [], path
        if screenshots is not None:
            keep(
                page,
                path.strip("/") or ("start" if role == "operator" else f"start-{role}"),
                screenshots if role in ("operator", "auditor", "administrator") else None,
            )
    if role == "operator":
        for path in ("/second-factor", "/password"):
            page.goto(path)
            assert page.locator("h1").count() == 1, path
            keep(page, path.strip("/"), screenshots)
        for path, name in (("/feed?state=all", "alert"), ("/cases", "case")):
            page.goto(path)
            page.locator("tbody tr th a").first.click()
            page.wait_for_load_state()
            assert page.locator("h1").count() == 1, path
            assert page.evaluate(REPEATED_IDS) == [], path
            keep(page, name, screenshots)
    assert said == []


def keep(page: Any, name: str, screenshots: Path | None) -> None:
    """Keeps a picture of a page, where pictures are wanted."""
    if screenshots is not None and not name.startswith("start-"):
        page.screenshot(path=screenshots / f"{name}.png", full_page=True)


def test_the_page_fits_a_phone_and_a_dark_room(sign_in: Open, screenshots: Path | None) -> None:
    page = sign_in("operator", viewport={"width": 390, "height": 800}, color_scheme="dark")
    for path in ("/", "/overview", "/feed", "/cases", "/check"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == "rgb(18, 24, 27)"
    page.goto("/feed")
    if screenshots is not None:
        page.screenshot(path=screenshots / "feed-phone-dark.png")
