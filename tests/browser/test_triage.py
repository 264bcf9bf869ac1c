"""Triage and follow-up in a real browser over a running stack: many at once, undone, grouped, worked through to an outcome."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from streams.console.reading import Reading
from streams.records import Inspection, ProtectionStatus
from tests.browser.conftest import Open, Running, poll
from tests.browser.test_console_pages import alert_of, case_of, keep, log_now, send, worker_found

pytestmark = pytest.mark.integration


def workers_found(demo: Running, count: int) -> tuple[str, list[str]]:
    """Sends people found at work with one new employer without permits; returns the employer and the people."""
    employer, subjects = f"e1-{uuid4().hex}", []
    for _ in range(count):
        subject, entry, found = worker_found(demo, "KZ-75", "KZ-75-A1")
        at_work = Inspection(
            found.event_id, subject, found.occurred_at, found.recorded_at, found.source, found.source_seq,
            "worker_found", found.inspection_id, "KZ-75", employer, "F", None,
        )  # fmt: skip
        send(demo, entry, at_work)
        subjects.append(subject)
    return employer, subjects


def stage_of(demo: Running, subject: str) -> Any:
    return case_of(demo, subject)["stage"]


def ticked(page: Any, alerts: list[dict[str, Any]]) -> None:
    for alert in alerts:
        page.check(f"#a-{alert['alert_id']} input[name=alert]")


def test_many_are_closed_after_a_preview_and_opened_again_by_undo(demo: Running, sign_in: Open, screenshots: Path | None) -> None:
    _, subjects = workers_found(demo, 3)
    alerts = [alert_of(demo, subject) for subject in subjects]
    for subject in subjects:
        case_of(demo, subject)
    page = sign_in("operator")
    page.goto("/feed?rule=work_without_permit")
    ticked(page, alerts)
    page.click("#close")
    assert "3 alerts will be changed" in page.inner_text("main")
    values = page.locator("input[name=decision]").evaluate_all("all => all.map(one => one.value)")
    assert values == ["contacted", "cleared", "legalised", "left_voluntarily"], "nothing towards removal in bulk"
    page.check("input[value=cleared]")
    page.fill("#reason", "The permits were in another register")
    page.click("#again")
    assert "Decide on 3 cases" in page.inner_text("main")
    assert all(stage_of(demo, subject) == "suspected" for subject in subjects), "a preview changes nothing"
    keep(page, "bulk", screenshots)
    page.click("#do")
    assert "was sent" in page.inner_text("main")
    poll(lambda: all(stage_of(demo, subject) == "cleared" for subject in subjects))
    page.goto("/feed?rule=work_without_permit")
    assert page.locator(f"#a-{alerts[0]['alert_id']}").count() == 0, "what is closed has left the queue"
    closing = page.get_attribute("#undo-form", "action")
    page.click("#undo")
    assert "Undone" in page.inner_text("main")
    poll(lambda: all(stage_of(demo, subject) == "suspected" for subject in subjects))
    offered = page.locator("#undo-form").evaluate_all("all => all.map(one => one.getAttribute('action'))")
    assert closing not in offered, "what is undone cannot be undone again; an earlier deed may be"


def test_a_forged_removal_in_bulk_is_refused(demo: Running, sign_in: Open) -> None:
    _, subjects = workers_found(demo, 1)
    alert = alert_of(demo, subjects[0])
    page = sign_in("supervisor")
    csrf = page.locator("input[name=csrf]").first.get_attribute("value")
    for decision in ("order_to_leave", "referral_confirmed", "removed"):
        form = {
            "csrf": csrf,
            "do": "close",
            "step": "do",
            "decision": decision,
            "reason": "forged",
            "alert": str(alert["alert_id"]),
        }
        assert page.request.post("/feed/work", form=form).status == 403, decision
    assert Reading(demo.settings).decisions(case_of(demo, subjects[0])["case_id"]) == []


def test_a_colleague_sees_at_once_who_has_an_alert_and_keys_do_it(demo: Running, sign_in: Open) -> None:
    _, subjects = workers_found(demo, 1)
    alert = alert_of(demo, subjects[0])
    mine, theirs = sign_in("operator"), sign_in("operator2")
    for page in (mine, theirs):
        page.goto("/feed?rule=work_without_permit")
        page.wait_for_selector(".live-live")
    row = f"#a-{alert['alert_id']}"
    mine.check(f"{row} input[name=alert]")
    mine.focus(f"{row} a")
    # A Kazakh layout types "е" where the key T is.
    mine.evaluate("document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {code: 'KeyT', key: 'е', bubbles: true}))")
    mine.wait_for_url("**/feed?**done=work**")
    theirs.wait_for_selector(f"{row} .owner:not(.none)", timeout=5_000)
    assert theirs.inner_text(f"{row} .owner") == "operator"
    mine.goto("/feed?state=open&owner=me")
    assert mine.locator(row).count() == 1
    mine.goto("/feed?state=open&owner=none&rule=work_without_permit")
    assert mine.locator(row).count() == 0


def test_an_acknowledgement_undone_comes_back_into_the_queue(demo: Running, sign_in: Open) -> None:
    _, subjects = workers_found(demo, 1)
    alert = alert_of(demo, subjects[0])
    row = f"#a-{alert['alert_id']}"
    page = sign_in("operator", scripts=False)
    page.goto("/feed?rule=work_without_permit")
    ticked(page, [alert])
    page.click("#acknowledge")
    poll(lambda: alert_of(demo, subjects[0])["state"] == "acknowledged")
    page.goto("/feed?rule=work_without_permit")
    assert page.locator(row).count() == 0
    page.click("#undo")
    page.goto("/feed?rule=work_without_permit")
    assert "back in the queue" in page.inner_text(row)


def test_what_rests_or_is_muted_is_out_of_the_queue_with_author_and_reason(
    demo: Running, sign_in: Open, screenshots: Path | None
) -> None:
    _, subjects = workers_found(demo, 1)
    alert = alert_of(demo, subjects[0])
    row = f"#a-{alert['alert_id']}"
    page = sign_in("operator", scripts=False)
    page.goto("/feed?rule=work_without_permit")
    ticked(page, [alert])
    page.click("#snooze")
    page.fill("#reason", "The employer comes tomorrow")
    page.click("main button.main")
    assert page.locator(row).count() == 0
    page.goto("/feed?state=snoozed")
    assert "rests until" in page.inner_text(row)
    page.click("#undo")
    page.goto("/mutes")
    page.select_option("#post", "KZ-23-A1")
    page.fill("#reason", "The post sends late after an outage")
    page.click("main button.main")
    text = page.inner_text("table")
    assert "The post sends late after an outage" in text
    assert "operator" in text
    keep(page, "mutes", screenshots)
    other = sign_in("oblast-operator")  # of KZ-23: sees it, for it touches the oblast, and cannot end what is not theirs alone
    other.goto("/mutes")
    page.click("table button")
    assert "Nothing is muted" in page.inner_text("main")


def test_search_by_exact_key_leaves_no_key_in_the_address(demo: Running, sign_in: Open) -> None:
    employer, subjects = workers_found(demo, 2)
    alerts = [alert_of(demo, subject) for subject in subjects]
    page = sign_in("operator", scripts=False)
    for key, shown in ((subjects[0], alerts[:1]), (employer, alerts)):
        page.goto("/feed")
        page.fill("#q", key)
        page.click(".search button")
        assert key not in page.url
        assert all(page.locator(f"#a-{alert['alert_id']}").count() == 1 for alert in shown)
    for key in (str(alerts[0]["alert_id"]), str(alerts[0]["caused_by"])):
        page.goto("/feed")
        page.fill("#q", key)
        page.click(".search button")
        assert page.url.endswith(f"/alerts/{alerts[0]['alert_id']}")
    page.goto("/feed")
    page.fill("#q", "Алматы")
    page.click(".search button")
    assert page.locator("#feed tbody tr").count() > 0


def test_a_group_becomes_one_proceeding_whose_outcome_comes_back_in_the_mart(
    demo: Running, sign_in: Open, screenshots: Path | None
) -> None:
    _, subjects = workers_found(demo, 3)
    alerts = [alert_of(demo, subject) for subject in subjects]
    cases = [case_of(demo, subject) for subject in subjects]
    before = settled(demo)
    page = sign_in("operator")
    page.goto("/feed/groups?by=employer&rule=work_without_permit")
    keep(page, "groups", screenshots)
    page.goto(f"/feed?rule=work_without_permit&same_employer={alerts[0]['alert_id']}")
    assert page.locator("#feed tbody tr").count() == 3
    page.check("#everything")
    page.click("#proceed")
    assert "3 alerts" in page.inner_text("main")
    page.check("input[value=permit_through_employer]")
    page.fill("#reason", "The employer asks for permits for all three")
    page.click("main button.main")
    assert page.locator("#tasks + table tbody tr").count() == 4
    for _ in range(4):
        page.locator("#tasks + table tr:not(.finished) button").first.click()
        page.wait_for_load_state()
    assert page.locator("#tasks + table tr.finished").count() == 4
    page.click("text=Add evidence")
    page.fill("#reference", "Incoming letter 114")
    page.locator("#evidence ~ details button").click()
    page.fill("#note-content", "Two of three permits are there")
    page.click("text=Write")
    page.select_option("#pause", "waits_for_agency")
    page.click("text=Stop the clock")
    assert "waiting for another agency" in page.inner_text("main")
    page.click("text=Start the clock")
    keep(page, "proceeding", screenshots)
    page.goto("/proceedings")
    keep(page, "proceedings", screenshots)
    page.click("tbody th a >> nth=0")
    page.check("input[value=legalised]")
    page.fill("#reason", "All three permits were issued")
    page.click("text=End with this outcome")
    assert "was sent" in page.inner_text("main")
    poll(lambda: all(stage_of(demo, subject) == "legalised" for subject in subjects))
    reading = Reading(demo.settings)
    assert {row["decision"] for case in cases for row in reading.decisions(case["case_id"])} == {"legalised"}
    assert settled(demo) == before + 3
    page.goto("/handover")
    keep(page, "handover", screenshots)
    assert "legalised" in page.inner_text("main")


def settled(demo: Running) -> int:
    rows = Reading(demo.settings).ask("SELECT sum(cases_now) AS n FROM mart_follow_up WHERE stage = 'legalised'")
    return int(rows[0]["n"])


def test_a_protected_person_is_offered_no_path_towards_removal_and_a_forged_one_is_refused(demo: Running, sign_in: Open) -> None:
    subject, *events = worker_found(demo, "KZ-75", "KZ-75-A1")
    at = log_now(demo)
    send(
        demo,
        *events,
        ProtectionStatus(uuid4().bytes, subject, at, at, "register:asylum", 1, "asylum_applied", uuid4().bytes, None),
    )
    alert = alert_of(demo, subject)
    poll(lambda: case_of(demo, subject)["protected"])
    page = sign_in("operator", scripts=False)
    page.goto(f"/alerts/{alert['alert_id']}")
    page.click("form[action='/proceedings/new'] button")
    offered = page.locator("input[name=procedure]").evaluate_all("all => all.map(one => one.value)")
    assert "protection" in offered
    assert not {"voluntary_departure", "order_to_leave", "referral"} & set(offered)
    csrf = page.locator("input[name=csrf]").first.get_attribute("value")
    for path in ("order_to_leave", "referral", "voluntary_departure"):
        form = {"csrf": csrf, "procedure": path, "reason": "forged by hand", "alert": str(alert["alert_id"])}
        assert page.request.post("/proceedings", form=form).status == 403, path


def test_whoever_disagrees_is_heard_and_the_presumption_rests_until_another_officer_decides(
    demo: Running, sign_in: Open, screenshots: Path | None
) -> None:
    subject, *events = worker_found(demo, "KZ-75", "KZ-75-A1")
    send(demo, *events)
    alert = alert_of(demo, subject)
    case_of(demo, subject)
    watching = sign_in("operator2")
    watching.goto("/feed?rule=work_without_permit")
    watching.wait_for_selector(".live-live")
    page = sign_in("operator", scripts=False)
    page.goto(f"/alerts/{alert['alert_id']}/dispute")
    keep(page, "dispute", screenshots)
    page.fill("#statement", "I have a permit of another oblast, here is its number in the register")
    page.click("main button.main")
    assert "was sent" in page.inner_text("main")
    address = page.url.partition("?")[0]
    watching.wait_for_selector(f"#a-{alert['alert_id']}.retracted", timeout=15_000)
    assert "disputed" in watching.inner_text(f"#a-{alert['alert_id']}")
    poll(lambda: case_of(demo, subject)["protected"])
    assert page.locator("input[name=outcome]").count() == 0, "an operator does not decide it"
    supervisor = sign_in("supervisor", scripts=False)
    supervisor.goto(address)
    supervisor.check("input[value=rejected]")
    supervisor.fill("#reason", "The register knows no such permit")
    supervisor.click("text=End with this outcome")
    assert "was sent" in supervisor.inner_text("main")
    poll(lambda: alert_of(demo, subject)["state"] == "raised")
    poll(lambda: not case_of(demo, subject)["protected"])


def test_nobody_judges_a_dispute_about_their_own_decision(demo: Running, sign_in: Open) -> None:
    subject, *events = worker_found(demo, "KZ-75", "KZ-75-A1")
    send(demo, *events)
    alert, case = alert_of(demo, subject), case_of(demo, subject)
    page = sign_in("supervisor", scripts=False)
    page.goto(f"/cases/{case['case_id']}")
    page.check("input[value=contacted]")
    page.fill("#reason", "Spoke with the worker")
    page.click("form[action$=decide] button")
    page.goto(f"/alerts/{alert['alert_id']}/dispute")
    page.check(f"input[value='{UUID(bytes=events[1].event_id)}']")
    page.fill("#statement", "This was not me")
    page.click("main button.main")
    page.check("input[value=rejected]")
    page.fill("#reason", "I was right before")
    page.click("text=End with this outcome")
    assert "Nobody judges their own decision" in page.inner_text("main")
    other = sign_in("supervisor2", scripts=False)
    other.goto(page.url.removesuffix("/close"))
    other.check("input[value=upheld]")
    other.fill("#reason", "The inspectorate confirms: another person")
    other.click("text=End with this outcome")
    asked = f"SELECT supersedes FROM raw_correction WHERE subject = '{subject}'"  # noqa: S608
    corrected = poll(lambda: Reading(demo.settings).ask(asked))
    assert corrected[0]["supersedes"].bytes == events[1].event_id, "the record counts no longer"
    poll(lambda: not case_of(demo, subject)["protected"])
    # Cases are there when they are inserted, what holds now of an alert when it has been counted, a moment later.
    poll(lambda: alert_of(demo, subject)["state"] == "retracted")


def test_a_view_is_saved_shared_counted_and_removed_by_its_author(sign_in: Open) -> None:
    page = sign_in("operator", scripts=False)
    page.goto("/feed?state=open&grade=established")
    page.click(".save summary")
    name = f"Sure {uuid4().hex[:6]}"
    page.fill("#view-name", name)
    page.check("input[name=shared]")
    page.click(".save button:has-text('Save')")
    rows = page.locator("#feed tbody tr").count()
    other = sign_in("supervisor")
    other.goto("/feed")
    link = other.locator(".views a", has_text=name)
    assert int(link.locator("b").inner_text().replace(",", "")) >= min(rows, 1)
    link.click()
    assert "grade=established" in other.url
    assert other.locator(f"button:has-text('{name}')").count() == 0, "only the author removes it"
    page.click(".save summary")
    page.click(f"button:has-text('{name}')")
    assert page.locator(".views a", has_text=name).count() == 0


def test_sound_and_notices_are_off_until_somebody_turns_them_on(demo: Running, sign_in: Open) -> None:
    page = sign_in("operator")
    page.add_init_script("addEventListener('shekara:rang', (event) => { (window.rang ??= []).push(event.detail); }, true)")
    page.goto("/feed?rule=work_without_permit")
    page.wait_for_selector(".live-live")
    assert page.get_attribute("#sound", "aria-pressed") == "false"
    workers_found(demo, 1)
    page.wait_for_selector("#pill:not([hidden])")
    assert page.evaluate("window.rang") is None
    page.select_option("#loud", "medium")
    page.click("#sound")
    assert page.get_attribute("#sound", "aria-pressed") == "true"
    heard = page.evaluate("window.rang.length")
    workers_found(demo, 1)
    poll(lambda: page.evaluate("window.rang.length") > heard)


def test_a_desktop_notice_names_the_rule_and_nobody_and_only_when_it_was_turned_on(demo: Running, sign_in: Open) -> None:
    page = sign_in("operator", permissions=["notifications"])
    page.add_init_script(
        "window.noticed = []; window.Notification = class { static permission = 'granted'; "
        "static requestPermission() { return 'granted'; } "
        "constructor(title, more) { window.noticed.push([title, more.body]); } };"
        "Object.defineProperty(Document.prototype, 'hidden', { get: () => true });"
    )
    page.goto("/feed?rule=work_without_permit")
    page.wait_for_selector(".live-live")
    workers_found(demo, 1)
    page.wait_for_selector("#pill:not([hidden])")
    assert page.evaluate("window.noticed") == []
    page.select_option("#loud", "medium")
    page.click("#notices")
    assert page.get_attribute("#notices", "aria-pressed") == "true"
    employer, [subject] = workers_found(demo, 1)
    [title, body] = poll(lambda: page.evaluate("window.noticed"))[0]
    alert = alert_of(demo, subject)  # the notice comes from the log, the list from the warehouse, a moment later
    page.click("#pill")
    assert body == page.inner_text(f"#a-{alert['alert_id']} th a")
    assert subject not in title + body
    assert employer not in title + body


def test_the_pages_of_triage_and_follow_up_are_clean_by_axe(demo: Running, sign_in: Open) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    _, subjects = workers_found(demo, 1)
    alert = alert_of(demo, subjects[0])
    page = sign_in("operator", color_scheme="dark")
    paths = ("/feed", "/feed/groups?by=post", "/mutes", "/handover", "/proceedings", "/cases")
    about = (f"/alerts/{alert['alert_id']}", f"/alerts/{alert['alert_id']}?known=1", f"/alerts/{alert['alert_id']}/dispute")
    found: dict[str, list[str]] = {}
    for path in (*paths, *about):
        page.goto(path)
        found[path] = [one["id"] for one in axe.run(page).response["violations"]]
    page.goto("/feed?rule=work_without_permit")
    ticked(page, [alert])
    page.click("#close")
    found["close"] = [one["id"] for one in axe.run(page).response["violations"]]
    assert {path: ids for path, ids in found.items() if ids} == {}
