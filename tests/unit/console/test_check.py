"""A check says unknown as unknown, never as unlawful; and never offers removal for a protected person."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.cases.options import REFERRAL
from streams.console.check import answer_for, trace_of
from streams.console.desk import Desk
from streams.console.overview import TILES, tiles
from streams.console.states import States
from streams.console.texts import VOICES
from streams.detect.logtime import LogTime
from streams.person import Cause, take
from streams.policy.load import load
from streams.records import BorderCrossing, PersonEvent, ProtectionStatus
from streams.settings import Settings
from tests.unit.console.conftest import SignIn, csrf_of

POLICY = load("kz")
DAY = 86_400_000
ENTERED = 1_735_700_000_000
SUBJECT = "p1-" + "a" * 32
SAY = VOICES["en"]


def crossing(number: int, direction: str, at: int) -> BorderCrossing:
    return BorderCrossing(
        number.to_bytes(16, "big"), SUBJECT, at, at, "post:KZ-75-A1", number,
        direction, "KZ-75-A1", "DEU", "tourism", "passport", "air", None, None,  # type: ignore[arg-type]
    )  # fmt: skip


def state_of(*events: PersonEvent) -> bytes | None:
    """Returns the state the worker would keep."""
    state: bytes | None = None
    for event in events:
        step = take(state, event, LogTime(event.occurred_at, 0, ()), Cause(event.event_id, 0), POLICY)
        state = step.state or state
    return state


def test_nobody_known_is_unknown_and_nothing_more() -> None:
    found = answer_for(None, SUBJECT, POLICY, ENTERED, SAY)
    assert found["status"] == "unknown"
    assert found["message"].endswith("Unknown does not mean unlawful.")
    assert found["findings"] == found["options"] == []


@pytest.mark.parametrize(("days", "status"), [(0, "lawful"), (29, "lawful"), (30, "no_title_known"), (200, "no_title_known")])
def test_a_running_stay_is_judged_by_its_days(days: int, status: str) -> None:
    found = answer_for(state_of(crossing(1, "entry", ENTERED)), SUBJECT, POLICY, ENTERED + days * DAY, SAY)
    assert found["status"] == status
    assert (found["last_lawful_day"] is not None) == (status == "lawful")
    assert "overstay" not in str([found["message"], [one["title"] for one in found["findings"]]]).lower()


def test_who_left_is_not_here_by_our_records() -> None:
    state = state_of(crossing(1, "entry", ENTERED), crossing(2, "exit", ENTERED + 3 * DAY))
    assert answer_for(state, SUBJECT, POLICY, ENTERED + 10 * DAY, SAY)["status"] == "not_present"


def test_a_protected_person_is_offered_help_and_never_a_referral() -> None:
    asylum = ProtectionStatus(
        (9).to_bytes(16, "big"),
        SUBJECT,
        ENTERED + DAY,
        ENTERED + DAY,
        "register:asylum",
        1,
        "trafficking_victim",
        bytes(16),
        None,
    )
    found = answer_for(state_of(crossing(1, "entry", ENTERED), asylum), SUBJECT, POLICY, ENTERED + 90 * DAY, SAY)
    assert found["protected"]
    assert REFERRAL not in [one["option"] for one in found["options"]]


class Message:
    """What confluent-kafka hands over."""

    def __init__(self, key: bytes, value: bytes | None, partition: int, offset: int) -> None:
        self._content = key, value, partition, offset

    def key(self) -> bytes:
        return self._content[0]

    def value(self) -> bytes | None:
        return self._content[1]

    def partition(self) -> int:
        return self._content[2]

    def offset(self) -> int:
        return self._content[3]


@pytest.fixture
def states(tmp_path: Path) -> Iterator[States]:
    made = States(Settings(home=tmp_path), tmp_path / "states.db")
    yield made
    made.close()


@given(st.lists(st.tuples(st.sampled_from("abc"), st.one_of(st.none(), st.binary(min_size=1, max_size=3))), max_size=20))
def test_the_last_value_of_a_key_holds_and_an_erased_person_is_gone(changes: list[tuple[str, bytes | None]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        states = States(Settings(), Path(folder) / "states.db")
        states.take([Message(key.encode(), value, 0, offset) for offset, (key, value) in enumerate(changes)])
        assert {key: states.get(key) for key in "abc"} == {key: dict(changes).get(key) for key in "abc"}
        states.close()


def test_who_asks_does_not_wait_until_what_was_read_has_been_written(states: States) -> None:
    states.take([Message(b"a", b"x", 0, 0)])
    states._data.execute("BEGIN IMMEDIATE")
    states._data.execute("DELETE FROM state")
    with states._lock:  # as while a batch is being written
        assert states.get("a") == b"x", "what was there before is the answer until all of a batch is"
    states._data.execute("ROLLBACK")


def test_the_clock_of_an_invented_country_is_asked_once_and_then_beside_the_checks(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[threading.Thread] = []
    may_answer = threading.Event()

    def clock() -> int:
        asked.append(threading.current_thread())
        if len(asked) > 1:
            may_answer.wait(5)
        return 1_000 * len(asked)

    desk.demo = True
    monkeypatch.setattr(desk, "clock", clock)
    assert desk.steady_clock() == 1_000
    desk._clock = (-1e9, 1_000)
    assert [desk.steady_clock() for _ in range(5)] == [1_000] * 5, "nobody waits for the warehouse"
    may_answer.set()
    deadline = time.monotonic() + 5
    while desk.steady_clock() != 2_000:
        assert time.monotonic() < deadline
    assert len(asked) == 2
    assert asked[1] is not threading.current_thread()


def test_the_workers_own_records_are_nobodys_state(states: States) -> None:
    states.take([Message(b"\x00marker", b"12345678", 0, 7)])
    assert states.get("\x00marker") is None
    assert states._next == {0: 8}


def test_the_end_told_with_the_last_messages_stays_known(states: States) -> None:
    states._ends, states._next = {0: 10}, {0: 10}  # the mark of a transaction lies at 9 and is never handed over
    states.take([Message(b"a", b"x", 0, 8)])
    assert states.caught_up


def test_a_cache_of_another_log_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "states.db"
    for origin, known in (("one/t", False), ("one/t", True), ("two/t", False)):
        states = States(Settings(home=tmp_path), path)
        states._belongs_to(origin)
        assert (states.get("a") is not None) == known, origin
        states.take([Message(b"a", b"x", 0, 0)])
        states.close()
    assert path.stat().st_mode & 0o777 == 0o600


def test_unknown_is_not_said_before_everything_was_read(desk: Desk, sign_in: SignIn, states: States) -> None:
    desk._states = states
    desk.demo = False
    client = sign_in("operator")
    headers = {"x-csrf-token": csrf_of(client.get("/"))}
    assert client.post("/api/check", json={"subject": SUBJECT}, headers=headers).status_code == 503
    states._ends, states._next = {0: 1}, {0: 1}
    answer = client.post("/api/check", json={"subject": SUBJECT}, headers=headers)
    assert answer.json()["status"] == "unknown"
    for wrong in (
        {"subject": "x"},
        {"country": "DEU", "document": "1"},
        {"country": 5},
        {},
        {"country": "D-U", "document": "C01X00T47"},
    ):
        said = client.post("/api/check", json=wrong, headers=headers)
        assert said.status_code in (422, 503), wrong
        assert said.json()["error"] in ("document", "no_key")
    assert client.post("/api/check", content=b"[]", headers=headers).status_code == 422
    lines = desk.audit.lines()
    assert lines[0].action == "check"
    assert SUBJECT not in str(lines), "the audit says that a check was made, not of whom"


def test_every_oblast_has_one_tile_of_its_own() -> None:
    assert set(TILES) == set(POLICY.codes.oblasts)
    assert len(set(TILES.values())) == len(TILES)


@given(st.dictionaries(st.sampled_from(sorted(TILES)), st.integers(0, 5_000)))
def test_a_darker_tile_has_no_fewer_alerts(counts: dict[str, int]) -> None:
    grid = tiles([{"oblast": code, "grade": "presumed", "alerts": count} for code, count in counts.items()])
    assert {tile.code: tile.alerts for tile in grid if tile.alerts} == {code: count for code, count in counts.items() if count}
    for one in grid:
        for other in grid:
            if one.step > other.step:
                assert one.alerts > other.alerts


def test_every_check_is_in_the_audit_with_its_occasion_and_nobody_is_found_from_it(desk: Desk, sign_in: SignIn) -> None:
    client = sign_in("operator")
    csrf = csrf_of(client.get("/check"))
    desk._states, desk.demo = Known(), False  # type: ignore[assignment]
    asked = {"subject": SUBJECT, "occasion": "border"}
    assert client.post("/api/check", json=asked, headers={"x-csrf-token": csrf}).status_code == 200
    assert client.post("/check", data={"csrf": csrf, "subject": SUBJECT}).status_code == 200
    for occasion in ("curiosity", "", 7, None):
        answer = client.post("/api/check", json={"subject": SUBJECT, "occasion": occasion}, headers={"x-csrf-token": csrf})
        assert answer.status_code == 422, occasion
    lines = [line for line in desk.audit.lines() if line.action == "check"]
    assert [(line.reason, line.object) for line in lines] == [
        ("inspection", f"unknown {trace_of(SUBJECT)}"),
        ("border", f"unknown {trace_of(SUBJECT)}"),
    ]
    assert SUBJECT not in str(lines)


class Known:
    """States in which nobody is known."""

    caught_up = True

    def get(self, subject: str) -> bytes | None:
        return None
