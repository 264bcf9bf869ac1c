"""Who has which alert, what rests for a while, what is muted; every deed is in the audit and can be undone for a while.

Nothing here decides anything about a person: decisions leave as events (ADR 0093). Undoing a decision is another decision.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import uuid4

from streams.clock import monotonic_s, now_ms
from streams.console.audit import Audit
from streams.console.store import Store, Writer

ANSWER_HOURS: Mapping[str, int] = {"high": 1, "medium": 4, "low": 12, "info": 24}
"""Within so many hours of its last version somebody should have looked at an alert, by severity."""
SOON_SHARE = 0.75
"""An alert of which this share of the time has passed is due soon."""
REST_HOURS: Mapping[str, int] = {"high": 2, "medium": 8, "low": 24, "info": 72}
"""An acknowledged alert on whose case nobody acted within so many hours comes back into the queue, by severity."""
UNDO_MS = 15 * 60_000
LONGEST_SNOOZE_MS = 14 * 86_400_000
LONGEST_MUTE_MS = 14 * 86_400_000
HELD_AT_MOST = 2_000
"""A question to the warehouse names what is held by its id: so many fit."""
_FRESH_S = 3.0
_LOOK_EVERY_MS = 600_000
_HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Held:
    """How the work on one alert stands.

    Attributes:
        owner: officer's pseudonym; empty: nobody has it.
        snoozed_until_at: it rests until then, UTC epoch ms; 0: it does not.
        returned_at: when its acknowledgement was taken back, UTC epoch ms; 0: it was not.
    """

    owner: str = ""
    snoozed_until_at: int = 0
    returned_at: int = 0


NOT_HELD = Held()


@dataclass(frozen=True, slots=True)
class Mute:
    """What is expected for a while and would only drown the rest, e.g. the late records of a post that was out.

    Alerts that may lead to protection are never muted.

    Attributes:
        id: random.
        author: officer's pseudonym.
        reason: in the author's words.
        rule: the rule; empty: any.
        oblast: ISO 3166-2:KZ; empty: any.
        post: border post; empty: any.
        made_at: UTC epoch ms.
        until_at: it ends by itself then, UTC epoch ms.
    """

    id: str
    author: str
    reason: str
    rule: str
    oblast: str
    post: str
    made_at: int
    until_at: int

    def covers(self, family: str, rule: str, oblast: str, post: str) -> bool:
        """Returns whether an alert is muted by it."""
        return family != "protective" and self.rule in ("", rule) and self.oblast in ("", oblast) and self.post in ("", post)


@dataclass(frozen=True, slots=True)
class Deed:
    """Something an officer did to one or many alerts at once.

    Attributes:
        id: random.
        officer: who.
        kind: ``assigned``, ``acknowledged``, ``snoozed`` or ``closed``.
        done_at: UTC epoch ms.
        before: how the work on each alert stood.
        after: how it stood then.
        cases: ids of the cases decided on, as text.
        undone_at: UTC epoch ms; 0: it holds.
    """

    id: str
    officer: str
    kind: str
    done_at: int
    before: Mapping[str, Held]
    after: Mapping[str, Held]
    cases: tuple[str, ...]
    undone_at: int


@dataclass(frozen=True, slots=True)
class Moment:
    """What a filter must know of the work to say what is in the queue.

    Attributes:
        at: now, UTC epoch ms.
        officer: whose view it is.
        held: by alert id, as text.
        mutes: those in force.
    """

    at: int = 0
    officer: str = ""
    held: Mapping[str, Held] = field(default_factory=dict)
    mutes: tuple[Mute, ...] = ()

    def of(self, alert_id: object) -> Held:
        """Returns how the work on an alert stands."""
        return self.held.get(str(alert_id), NOT_HELD)


def answer_by(severity: str, received_at: int) -> int:
    """Returns until when somebody should have looked at an alert, UTC epoch ms."""
    return received_at + ANSWER_HOURS.get(severity, 24) * _HOUR_MS


class Work:
    """Keeps the work; a copy in memory serves the pages, read again when another console may have changed it.

    Args:
        store: where it is kept.
        audit: who did what.
    """

    def __init__(self, store: Store, audit: Audit) -> None:
        self._store = store
        self._audit = audit
        self._lock = threading.Lock()
        self._held: dict[str, Held] = {}
        self._mutes: tuple[Mute, ...] = ()
        self._read_s = -1e9
        self._looked_at = 0
        self._changes: deque[tuple[int, str]] = deque(maxlen=2_000)
        self.number = 0
        """Number of the last change; feeds look whether it grew."""

    def moment(self, officer: str = "", at: int | None = None) -> Moment:
        """Returns how the work stands for an officer."""
        now = now_ms() if at is None else at
        with self._lock:
            if monotonic_s() - self._read_s > _FRESH_S:
                self._record(self._read())
            return Moment(now, officer, self._held, tuple(one for one in self._mutes if one.until_at > now))

    def changed_since(self, number: int) -> tuple[int, list[str]]:
        """Returns the number of the last change, and the alerts whose work changed behind a number."""
        with self._lock:
            return self.number, sorted({alert_id for n, alert_id in self._changes if n > number})

    def look(self) -> bool:
        """Reads the work again; returns whether another console that shares the store changed it."""
        with self._lock:
            changed = self._read()
            self._record(changed)
        return bool(changed)

    def _record(self, alert_ids: Iterable[str]) -> None:
        found = list(alert_ids)
        if found:
            self.number += 1
            self._changes.extend((self.number, alert_id) for alert_id in found)

    def _read(self) -> set[str]:
        """Returns the alerts whose work is not as it was read last."""
        before, first = self._held, self._read_s < 0
        rows = self._store.rows(
            "SELECT alert_id, owner, snoozed_until_at, returned_at FROM held ORDER BY alert_id LIMIT ?", HELD_AT_MOST
        )
        self._held = {str(row[0]): Held(str(row[1]), int(row[2]), int(row[3])) for row in rows}
        columns = "id, author, reason, rule, oblast, post, made_at, until_at"
        mutes = self._store.rows(f"SELECT {columns} FROM mute WHERE until_at > ? ORDER BY until_at", now_ms())  # noqa: S608
        self._mutes = tuple(Mute(*row) for row in mutes)
        self._read_s = monotonic_s()
        return set() if first else {key for key in before.keys() | self._held.keys() if before.get(key) != self._held.get(key)}

    def do(
        self, officer: str, kind: str, at: int, after: Mapping[str, Held], *, reason: str = "", cases: Iterable[str] = ()
    ) -> str:
        """Sets how the work on alerts stands.

        Args:
            officer: who does it.
            kind: what, for the audit: ``assigned``, ``acknowledged``, ``snoozed`` or ``closed``.
            at: UTC epoch ms.
            after: how it shall stand, by alert id.
            reason: in the officer's words, where one is asked for.
            cases: cases decided on at the same time.

        Returns:
            The deed's id, with which it can be undone.
        """
        deed_id = uuid4().hex
        with self._store.writing() as writer:
            before: dict[str, Held] = {}
            for alert_id, held in after.items():
                rows = writer.rows("SELECT owner, snoozed_until_at, returned_at FROM held WHERE alert_id = ?", alert_id)
                before[alert_id] = Held(*rows[0]) if rows else NOT_HELD
                self._set(writer, alert_id, held)
                self._audit.write_in(writer, at, officer, f"work_{kind}", alert_id, reason or held.owner)
            content = json.dumps({"before": _plain(before), "after": _plain(after), "cases": list(cases)})
            writer.run("INSERT INTO deed VALUES (?, ?, ?, ?, ?, 0)", deed_id, officer, kind, at, content)
        self._tell(after)
        return deed_id

    def deed(self, deed_id: str) -> Deed | None:
        """Returns a deed; none if there is none."""
        rows = self._store.rows("SELECT id, officer, kind, done_at, content, undone_at FROM deed WHERE id = ?", deed_id)
        return _deed(rows[0]) if rows else None

    def last_deed(self, officer: str, at: int) -> Deed | None:
        """Returns what an officer did last and can still undo; none if nothing."""
        rows = self._store.rows(
            "SELECT id, officer, kind, done_at, content, undone_at FROM deed "
            "WHERE officer = ? AND undone_at = 0 AND done_at > ? ORDER BY done_at DESC LIMIT 1",
            officer,
            at - UNDO_MS,
        )
        return _deed(rows[0]) if rows else None

    def undo(self, deed: Deed, at: int) -> int:
        """Puts the work back as it was, where nobody has changed it since.

        An acknowledgement stays in the log: its alerts come back into the queue.

        Returns:
            How many alerts were put back.
        """
        back: dict[str, Held] = {}
        with self._store.writing() as writer:
            if not writer.run("UPDATE deed SET undone_at = ? WHERE id = ? AND undone_at = 0", at, deed.id):
                return 0
            for alert_id, after in deed.after.items():
                rows = writer.rows("SELECT owner, snoozed_until_at, returned_at FROM held WHERE alert_id = ?", alert_id)
                if (Held(*rows[0]) if rows else NOT_HELD) != after:
                    continue
                before = deed.before.get(alert_id, NOT_HELD)
                if deed.kind == "acknowledged":
                    before = Held(before.owner, before.snoozed_until_at, at)
                back[alert_id] = before
                self._set(writer, alert_id, before)
                self._audit.write_in(writer, at, deed.officer, f"work_{deed.kind}_undone", alert_id)
        self._tell(back)
        return len(back)

    def mute(self, mute: Mute) -> None:
        """Begins a mute."""
        with self._store.writing() as writer:
            writer.run(
                "INSERT INTO mute VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                mute.id, mute.author, mute.reason, mute.rule, mute.oblast, mute.post, mute.made_at, mute.until_at,
            )  # fmt: skip
            about = " ".join(one for one in (mute.rule, mute.oblast, mute.post) if one)
            self._audit.write_in(writer, mute.made_at, mute.author, "muted", f"{mute.id} {about}", mute.reason)
        self._tell({})

    def unmute(self, mute_id: str, officer: str, at: int) -> None:
        """Ends a mute before its time."""
        with self._store.writing() as writer:
            if writer.run("UPDATE mute SET until_at = ? WHERE id = ? AND until_at > ?", at, mute_id, at):
                self._audit.write_in(writer, at, officer, "unmuted", mute_id)
        self._tell({})

    def may_look_again(self, at: int) -> bool:
        """Returns whether it is time to look which alerts ended by themselves; says yes once every ten minutes."""
        if at - self._looked_at < _LOOK_EVERY_MS:
            return False
        self._looked_at = at
        return True

    def forget(self, alert_ids: Iterable[str]) -> None:
        """Drops the work on alerts that need none any more."""
        with self._store.writing() as writer:
            for alert_id in alert_ids:
                writer.run("DELETE FROM held WHERE alert_id = ?", alert_id)
        self._tell({})

    def _set(self, writer: Writer, alert_id: str, held: Held) -> None:
        if held == NOT_HELD:
            writer.run("DELETE FROM held WHERE alert_id = ?", alert_id)
            return
        writer.run(
            "INSERT INTO held VALUES (?, ?, ?, ?) ON CONFLICT (alert_id) DO UPDATE SET owner = excluded.owner, "
            "snoozed_until_at = excluded.snoozed_until_at, returned_at = excluded.returned_at",
            alert_id,
            held.owner,
            held.snoozed_until_at,
            held.returned_at,
        )

    def _tell(self, alert_ids: Iterable[str]) -> None:
        with self._lock:
            changed = self._read() | set(alert_ids)
            self._record(changed)
            if not changed:
                self.number += 1  # a mute, say: what is in the queue may be another


def _plain(held: Mapping[str, Held]) -> dict[str, list[object]]:
    return {key: [one.owner, one.snoozed_until_at, one.returned_at] for key, one in held.items()}


def _deed(row: tuple[object, ...]) -> Deed:
    content = json.loads(str(row[4]))
    before, after = ({key: Held(*one) for key, one in content[name].items()} for name in ("before", "after"))
    return Deed(str(row[0]), str(row[1]), str(row[2]), int(str(row[3])), before, after, tuple(content["cases"]), int(str(row[5])))
