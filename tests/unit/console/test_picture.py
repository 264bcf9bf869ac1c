"""The picture shows the ledger's days, each where it is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.console.person_file import PersonFile, plain, record_of
from streams.console.picture import LEFT, MOST_DAYS, WIDTH, draw
from streams.detect.assess import assess
from streams.detect.dossier import Dossier
from streams.detect.ledger import ledger
from streams.detect.logtime import LogTime
from streams.policy.load import load
from streams.records import BorderCrossing

POLICY = load("kz")
DAY = 86_400_000
ENTRY_ON = 20_000


def file_of(days: int, *, left_after: int | None = None) -> PersonFile:
    """Returns the file of someone who entered on day 20 000 and, perhaps, left."""
    entered = POLICY.day_end_ms(ENTRY_ON - 1, "KZ-75-A1") + DAY // 2
    subject = "p1-" + "0" * 32

    def crossing(number: int, direction: str, at: int) -> BorderCrossing:
        row = {
            "event_id": number.to_bytes(16, "big"),
            "subject": subject,
            "occurred_at": at,
            "recorded_at": at,
            "source": "post:KZ-75-A1",
            "source_seq": number,
            "direction": direction,
            "post": "KZ-75-A1",
            "citizenship": "DEU",
            "purpose": "tourism",
            "document": "passport",
            "transport": "air",
            "visa_id": None,
            "refusal_reason": None,
        }
        made = record_of(BorderCrossing, row)
        assert isinstance(made, BorderCrossing)
        return made

    dossier = Dossier(subject).add(crossing(1, "entry", entered))
    if left_after is not None:
        dossier = dossier.add(crossing(2, "exit", entered + left_after * DAY))
    time = LogTime(entered + days * DAY, 0, ())
    found = assess(dossier, POLICY, time)
    return PersonFile((), found, tuple(ledger(found.situation)), time)


@given(st.integers(0, 500), st.one_of(st.none(), st.integers(0, 500)))
def test_bars_lie_inside_the_drawing_and_cover_the_days_of_the_ledger(days: int, left_after: int | None) -> None:
    file = file_of(days, left_after=left_after)
    picture = draw(file, ENTRY_ON, ENTRY_ON + 29)
    presence = picture.lanes[0]
    assert presence.name == "presence"
    for lane in picture.lanes:
        for bar in lane.bars:
            assert bar.x >= LEFT
            assert bar.x + bar.width <= WIDTH + 0.1
            assert bar.width > 0
    drawn = {day for bar in presence.bars for day in range(bar.first_on, bar.last_on + 1)}
    told = {day for line in file.lines for day in range(line.first_on, line.last_on + 1)}
    assert drawn == {day for day in told if picture.first_on <= day <= picture.last_on}
    assert picture.last_on - picture.first_on <= MOST_DAYS


def test_days_beyond_the_allowance_are_drawn_apart() -> None:
    picture = draw(file_of(40), ENTRY_ON, ENTRY_ON + 29)
    kinds = [(bar.kind, bar.first_on) for bar in picture.lanes[0].bars]
    assert kinds == [("lawful", ENTRY_ON), ("no_title_known", ENTRY_ON + 30)]


def test_values_of_the_warehouse_become_those_of_records() -> None:
    from datetime import UTC, date, datetime
    from uuid import UUID

    assert plain(UUID(int=5)) == bytes(15) + b"\x05"
    assert plain(date(1970, 1, 3)) == 2
    assert plain(datetime(2025, 1, 1, 0, 0, 0, 123_000, tzinfo=UTC)) == 1_735_689_600_123
    assert plain((date(1970, 1, 2), None, "x")) == (1, None, "x")
