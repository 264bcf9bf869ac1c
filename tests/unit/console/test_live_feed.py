"""What feeds share is what each would have been told alone; and no feed outlives its session."""

from __future__ import annotations

import asyncio
import itertools
import json
from typing import Any

import pytest
from starlette.requests import Request

from streams.clock import now_ms
from streams.console import live_feed
from streams.console.desk import Desk
from streams.console.editions import Editions
from streams.console.filters import Filter
from streams.console.live import Entry, Feed, Live, Run, Stretch
from streams.console.rights import sees_one_oblast
from streams.console.texts import LANGUAGES, VOICES
from streams.console.visit import SESSION_COOKIE, Visit
from streams.console.work import Held
from streams.settings import Settings
from streams.wire.avro import encode
from tests.unit.console.test_live import alert

FILTERS = (
    Filter(),
    Filter(state="all"),
    Filter(severity="high"),
    Filter(rule="overstay_visa_exempt", oblast="KZ-75"),
    Filter(state="open", owner="me"),
    Filter(state="open", owner="none"),
)


def visit(desk: Desk, role: str = "operator", language: str = "en") -> Visit:
    """Returns a visit of somebody signed in, before the feed."""
    name = f"{role}-{language}-{len(desk.accounts.all())}"
    account, _ = desk.accounts.invite(name, role, "KZ-23" if sees_one_oblast(role) else "", now_ms())
    token = desk.sessions.begin(account, now_ms())
    headers = [(b"cookie", f"{SESSION_COOKIE}={token}".encode())]
    request = Request({"type": "http", "method": "GET", "path": "/feed/live", "query_string": b"", "headers": headers})
    return Visit(desk, request, VOICES[language], desk.sessions.find(token, now_ms()))


def versions() -> list[Entry]:
    """Returns versions that differ in what filters look at."""
    kinds = itertools.product(("raised", "resolved"), ("high", "medium"), ("KZ-75", "KZ-23"))
    return [
        Entry(0, offset, encode(alert(offset, state=state, severity=severity, oblast=oblast)), 1_650_000_000_000)
        for offset, (state, severity, oblast) in enumerate(kinds)
    ]


def test_what_feeds_share_is_what_each_would_have_been_told_alone(desk: Desk) -> None:
    entries = versions()
    everybody = [visit(desk, role, language) for role in ("operator", "oblast_operator") for language in LANGUAGES]
    everybody.append(visit(desk))  # of the same role and language as the third
    officer = everybody[0].account.officer
    desk.work.do(officer, "assigned", now_ms(), {str(alert_id(entries[0])): Held(officer)})
    shared = {}
    for who, wanted in itertools.product(range(len(everybody)), FILTERS):
        shared[who, wanted] = live_feed._told(everybody[who], wanted, Stretch(entries, (0, len(entries))))
    for (who, wanted), told in shared.items():
        desk.editions = Editions()
        assert told == live_feed._told(everybody[who], wanted, Stretch(entries)), (who, wanted.query)
    assert len(set(shared.values())) > 10
    mine = Filter(state="open", owner="me")
    assert shown(shared[0, mine]) == [str(alert_id(entries[0]))]
    assert shown(shared[len(everybody) - 1, mine]) == []


def alert_id(entry: Entry) -> Any:
    from uuid import UUID

    return UUID(bytes=entry.alert.alert_id)


def shown(told: bytes) -> list[str]:
    """Returns the ids of the alerts a piece of a feed shows."""
    contents = [json.loads(line.removeprefix("data: ")) for line in told.decode().splitlines() if line.startswith("data: ")]
    return [one["id"] for one in contents if one["shown"]]


def test_a_row_kept_for_others_is_drawn_anew_when_somebody_takes_its_alert(desk: Desk) -> None:
    entries = versions()[:1]
    one = visit(desk)
    before = live_feed._told(one, Filter(), Stretch(entries, (0, 1)))
    desk.work.do(one.account.officer, "assigned", now_ms(), {str(alert_id(entries[0])): Held(one.account.officer)})
    after = live_feed._told(one, Filter(), Stretch(entries, (0, 1)))
    assert one.account.name not in before.decode()
    assert one.account.name in after.decode()


def test_what_is_kept_for_others_stays_small() -> None:
    kept = Editions(kept_bytes=100)
    for number in range(50):
        assert kept.of(number, lambda: b"x" * 30) == b"x" * 30
    assert len(kept._written) == 3
    assert kept.of("long", lambda: b"y" * 500) == b"y" * 500, "what is longer than all that is kept is still told"


def test_a_feed_ends_with_its_session_even_while_alerts_keep_coming(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_feed, "BEAT_S", 0.2)
    live = Live(Settings(), run=Run(kept=10_000))
    live.run.begin({0: -1})
    desk._live = live
    one = visit(desk)

    async def follow() -> tuple[int, bytes]:
        told, number = b"", 0
        async for piece in live_feed._stream(one, Filter(), Feed(live, {})):
            told = piece
            number += 1
            live.run.append([Entry(0, number, encode(alert(number)), 0)])
            if number == 5 and one.session:
                desk.sessions.end(one.session.digest)
        return number, told

    number, last = asyncio.run(asyncio.wait_for(follow(), 20))
    assert number > 5
    assert last == b"event: over\ndata: {}\n\n"
