"""What employers declare, for tests: facts by hand, and sets of them by chance."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from streams.records import EmployerDeclaration

EMPLOYER = "e1-" + "0" * 31 + "7"
DAY_MS = 86_400_000
FIRST_ON = 19_000


def declared(number: int, as_of_on: int, /, **changes: Any) -> EmployerDeclaration:
    """Returns a declaration of an employer with citizens alone, but for the changes; recorded the day after."""
    values: dict[str, Any] = {
        "event_id": number.to_bytes(16, "big"),
        "subject": EMPLOYER,
        "occurred_at": as_of_on * DAY_MS,
        "recorded_at": (as_of_on + 1) * DAY_MS,
        "source": "register:declarations",
        "source_seq": number,
        "as_of_on": as_of_on,
        "oblast": "KZ-75",
        "sector": "F",
        "size": "medium",
        "citizens_12": 70,
        "citizens_34": 90,
        "foreigners_12": 0,
        "foreigners_34": 0,
    }
    return EmployerDeclaration(**(values | changes))


@st.composite
def declarations(draw: st.DrawFn) -> list[EmployerDeclaration]:
    """Gives declarations of one employer on few days: the same day twice, and now and then the same id with other contents."""
    found = []
    for _ in range(draw(st.integers(1, 9))):
        day = FIRST_ON + 90 * draw(st.integers(0, 4))
        found.append(
            declared(
                draw(st.integers(1, 6)),
                day,
                recorded_at=(day + draw(st.integers(1, 3))) * DAY_MS,
                oblast=draw(st.sampled_from(("KZ-75", "KZ-71"))),
                foreigners_12=draw(st.sampled_from((0, 30, 31))),
                foreigners_34=draw(st.sampled_from((0, 10, 11))),
            )
        )
    return found
