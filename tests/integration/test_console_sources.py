"""What the console says of publishing systems, on the real engine: holes, repeats, lateness, statements; and to whom."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from streams.console.desk import Desk, furnish
from streams.policy.load import load
from streams.publish.tally import Tally, statement
from streams.settings import Settings
from streams.warehouse.embedded import Embedded
from tests.contract.warehouse import deliver, deliveries
from tests.integration.indicator_facts import at, day
from tests.integration.test_console_lists import OverEngine
from tests.unit.console.conftest import CHEAP, PASSWORD, browser
from tests.unit.warehouse.made import crossing

pytestmark = pytest.mark.integration

ALMATY, ASTANA = "post:KZ-75-A1", "post:KZ-71-A1"


@pytest.fixture
def desk(tmp_path: Path, engine: Embedded) -> Iterator[Desk]:
    made = furnish(Settings(home=tmp_path), load("kz"), demo=True, hasher=CHEAP)
    made._reading = OverEngine(engine)
    yield made
    made.close()


def signed_in(desk: Desk, role: str, oblast: str = "") -> TestClient:
    _, token = desk.accounts.invite(role, role, oblast, 1)
    desk.accounts.accept(token, PASSWORD, 1)
    client = browser(desk)
    assert client.post("/sign-in", data={"name": role, "password": PASSWORD}).status_code == 303
    return client


@pytest.fixture
def facts(engine: Embedded) -> None:
    """Ten numbers of Almaty of which three are missing and one came twice, stated; two of Astana, of which none is missing."""
    sent = [crossing(number, f"p1-{number}", source=ALMATY) for number in range(1, 11)]
    tally = Tally()
    for one in sent:
        tally = tally.plus(one)
    came = [one for one in sent if one.source_seq not in (4, 5, 8)]
    others = [crossing(100 + number, "p1-x", source=ASTANA, source_seq=number) for number in (1, 2)]
    deliver(engine, deliveries([*came, came[0], *others]))
    said = statement("KZ-75-A1", ALMATY, day(0), tally, source_seq=11, at_ms=at(0.2))
    deliver(engine, deliveries([said], topic="t.posts"))


def test_every_source_is_listed_with_what_is_missing_first(desk: Desk, facts: None) -> None:
    page = signed_in(desk, "operator").get("/sources").text
    assert page.index(ALMATY) < page.index(ASTANA)
    assert '<td class="number severity-high">3</td>' in page
    assert page.count("severity-high") == 1


def test_one_source_has_its_holes_and_its_statements_held_against_what_is_here(desk: Desk, facts: None) -> None:
    page = signed_in(desk, "analyst").get("/sources", params={"source": ALMATY}).text
    assert '<td class="number">4</td><td class="number">5</td><td class="number">2</td>' in page
    assert '<td class="number">8</td><td class="number">8</td><td class="number">1</td>' in page
    assert '<td class="number">10</td><td class="number">7</td><td class="number severity-high">3 (differs)</td>' in page
    assert f"shekara reconcile --source {ALMATY} --date 2025-03-01" in page
    other = signed_in(desk, "operator").get("/sources", params={"source": ASTANA}).text
    assert "No number is missing." in other
    assert "has stated no counts yet" in other


def test_an_oblast_operator_sees_the_sources_of_the_oblasts_own_posts(desk: Desk, facts: None) -> None:
    client = signed_in(desk, "oblast_operator", "KZ-71")
    page = client.get("/sources").text
    assert ASTANA in page
    assert ALMATY not in page
    assert client.get("/sources", params={"source": ALMATY}).status_code == 404


@pytest.mark.parametrize("source", ["x' OR 1 = 1 --", "\\", "ы" * 64, "nobody"])
def test_a_source_nobody_knows_is_empty_and_no_query(desk: Desk, facts: None, source: str) -> None:
    answer = signed_in(desk, "operator").get("/sources", params={"source": source})
    assert answer.status_code == 200
    assert "No number is missing." in answer.text


@pytest.mark.parametrize("source", ["x" * 65, "a\nb"])
def test_what_can_be_no_source_is_not_asked_for(desk: Desk, facts: None, source: str) -> None:
    assert signed_in(desk, "operator").get("/sources", params={"source": source}).status_code == 404
