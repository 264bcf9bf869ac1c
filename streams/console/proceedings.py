"""Proceedings: the officers' work on one case or a group of them along a path; kept here, in the audit, with a clock.

What a proceeding ends with leaves as decisions of its cases, or as the decision of its dispute (ADR 0093): this only organises.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from uuid import uuid4

from streams.console.audit import Audit
from streams.console.clocks import Pause, Standing, due_on, standing
from streams.console.procedures import Procedure, procedures
from streams.console.store import Row, Store, Writer
from streams.policy.calendar import WorkingDays

_COLUMNS = (
    "id, procedure_name, oblast, owner, opened_by, opened_at, opened_on, days, dispute_id, closed_at, closed_by, outcome, reason"
)


@dataclass(frozen=True, slots=True)
class Step:
    """A task of a proceeding.

    Attributes:
        id: random.
        name: key of the procedure's task; empty for one an officer added.
        title: what to do, in an officer's words; empty for the procedure's own.
        days: working days from the opening.
        done_at: UTC epoch ms; 0: not done.
        done_by: officer's pseudonym.
    """

    id: str
    name: str
    title: str
    days: int
    done_at: int
    done_by: str


@dataclass(frozen=True, slots=True)
class Proceeding:
    """The work along one path.

    Attributes:
        id: random, 32 hexadecimal digits.
        procedure: the path.
        oblast: the one oblast of everybody concerned; empty if they are in several.
        owner: officer's pseudonym; empty: nobody.
        opened_by: officer's pseudonym.
        opened_at: UTC epoch ms.
        opened_on: the country's day, days since 1970-01-01: the clock starts behind it.
        days: the term in working days.
        dispute_id: the dispute it decides, 32 hexadecimal digits; empty: none.
        closed_at: UTC epoch ms; 0: open.
        closed_by: officer's pseudonym.
        outcome: how it ended; empty while it is open.
        reason: why, in the officer's words.
    """

    id: str
    procedure: Procedure
    oblast: str
    owner: str
    opened_by: str
    opened_at: int
    opened_on: int
    days: int
    dispute_id: str
    closed_at: int
    closed_by: str
    outcome: str
    reason: str


@dataclass(frozen=True, slots=True)
class Clock:
    """How a proceeding's clock stands.

    Attributes:
        due_on: last day of the term, days since 1970-01-01.
        standing: paused, late, soon, in_time or closed.
        paused: the pause it stands in; none if it runs.
    """

    due_on: int
    standing: Standing
    paused: Pause | None


class Proceedings:
    """Keeps proceedings.

    Args:
        store: where.
        audit: who did what.
        calendar: Kazakhstan's working days.
    """

    def __init__(self, store: Store, audit: Audit, calendar: WorkingDays) -> None:
        self._store = store
        self._audit = audit
        self._calendar = calendar

    def begin(
        self,
        procedure: Procedure,
        officer: str,
        at: int,
        on: int,
        *,
        oblast: str,
        members: Iterable[tuple[str, str]],
        reason: str,
        dispute_id: str = "",
    ) -> str:
        """Begins a proceeding owned by whoever begins it.

        Args:
            procedure: the path.
            officer: who begins it.
            at: UTC epoch ms.
            on: the country's day, days since 1970-01-01.
            oblast: of everybody concerned; empty if they are in several.
            members: alert id and, for a person, case id, both as text.
            reason: in the officer's words.
            dispute_id: the dispute it decides.

        Returns:
            Its id.
        """
        made = uuid4().hex
        with self._store.writing() as writer:
            writer.run(
                f"INSERT INTO proceeding ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, '', '', '')",  # noqa: S608
                made, procedure.name, oblast, officer, officer, at, on, procedure.days, dispute_id,
            )  # fmt: skip
            for alert_id, case_id in members:
                writer.run("INSERT INTO proceeding_member VALUES (?, ?, ?)", made, alert_id, case_id)
            for place, task in enumerate(procedure.tasks):
                writer.run("INSERT INTO task VALUES (?, ?, ?, ?, '', ?, 0, '')", uuid4().hex, made, place, task.name, task.days)
            self._audit.write_in(writer, at, officer, f"began_{procedure.name}", made, reason)
        return made

    def one(self, proceeding_id: str, oblast: str) -> Proceeding | None:
        """Returns a proceeding; none if there is none, or it is not for a visitor of one oblast."""
        rows = self._store.rows(f"SELECT {_COLUMNS} FROM proceeding WHERE id = ?", proceeding_id)  # noqa: S608
        found = _proceeding(rows[0]) if rows else None
        return found if found is not None and oblast in ("", found.oblast) else None

    def listed(self, oblast: str, *, owner: str = "", closed: bool = False, limit: int = 200) -> list[Proceeding]:
        """Returns proceedings, the oldest first; closed ones the newest first.

        Args:
            oblast: the one oblast the visitor sees; empty: all.
            owner: only this officer's; empty: everybody's.
            closed: those that ended instead of those that run.
            limit: at most so many.
        """
        where = ["closed_at > 0" if closed else "closed_at = 0"]
        values: list[object] = []
        for name, value in (("oblast", oblast), ("owner", owner)):
            if value:
                where.append(f"{name} = ?")
                values.append(value)
        order = "closed_at DESC" if closed else "opened_at"
        rows = self._store.rows(
            f"SELECT {_COLUMNS} FROM proceeding WHERE {' AND '.join(where)} ORDER BY {order}, id LIMIT ?",  # noqa: S608
            *values,
            limit,
        )
        return [_proceeding(row) for row in rows]

    def about(self, column: str, value: str, oblast: str) -> list[Proceeding]:
        """Returns the proceedings about an alert (``alert_id``) or a case (``case_id``), the newest first."""
        if column not in ("alert_id", "case_id"):
            raise ValueError(column)
        columns = ", ".join(f"p.{one}" for one in _COLUMNS.split(", "))
        rows = self._store.rows(
            f"SELECT DISTINCT {columns} FROM proceeding p JOIN proceeding_member m ON m.proceeding_id = p.id "  # noqa: S608
            f"WHERE m.{column} = ? ORDER BY p.opened_at DESC",
            value,
        )
        return [one for one in map(_proceeding, rows) if oblast in ("", one.oblast)]

    def members(self, proceeding_id: str) -> list[tuple[str, str]]:
        """Returns the alerts concerned with their cases (empty for an employer's), as text."""
        rows = self._store.rows(
            "SELECT alert_id, case_id FROM proceeding_member WHERE proceeding_id = ? ORDER BY alert_id", proceeding_id
        )
        return [(str(alert_id), str(case_id)) for alert_id, case_id in rows]

    def steps(self, proceeding_id: str) -> list[Step]:
        """Returns the tasks in order."""
        rows = self._store.rows(
            "SELECT id, name, title, days, done_at, done_by FROM task WHERE proceeding_id = ? ORDER BY place", proceeding_id
        )
        return [Step(*row) for row in rows]

    def evidence(self, proceeding_id: str) -> list[Row]:
        """Returns what was added as evidence: officer, when, kind, reference, content; the oldest first."""
        return self._store.rows(
            "SELECT officer, added_at, kind, reference, content FROM evidence WHERE proceeding_id = ? ORDER BY added_at, id",
            proceeding_id,
        )

    def clock(self, proceeding: Proceeding, today: int) -> Clock:
        """Returns how a proceeding's clock stands on a day."""
        pauses = self.pauses(proceeding.id)
        open_one = next((one for one in pauses if one.until_on is None), None)
        due = due_on(proceeding.opened_on, proceeding.days, pauses, today, self._calendar)
        closed = proceeding.closed_at > 0
        stands = standing(due, today, paused=open_one is not None, closed=closed, calendar=self._calendar)
        return Clock(due, stands, open_one)

    def step_due(self, proceeding: Proceeding, days: int, today: int) -> int:
        """Returns the last day of a task, days since 1970-01-01."""
        return due_on(proceeding.opened_on, days, self.pauses(proceeding.id), today, self._calendar)

    def pauses(self, proceeding_id: str) -> Sequence[Pause]:
        """Returns when the clock stood still."""
        rows = self._store.rows(
            "SELECT from_on, until_on, reason, officer FROM pause WHERE proceeding_id = ? ORDER BY from_on, id", proceeding_id
        )
        return [Pause(int(row[0]), int(row[1]) or None, str(row[2]), str(row[3])) for row in rows]

    def finish(self, proceeding_id: str, step_id: str, officer: str, at: int, *, done: bool) -> None:
        """Marks a task done, or not done after all."""
        with self._store.writing() as writer:
            changed = writer.run(
                "UPDATE task SET done_at = ?, done_by = ? WHERE id = ? AND proceeding_id = ?",
                at if done else 0,
                officer if done else "",
                step_id,
                proceeding_id,
            )
            if changed:
                self._audit.write_in(writer, at, officer, "task_done" if done else "task_undone", f"{proceeding_id} {step_id}")

    def add_task(self, proceeding_id: str, title: str, days: int, officer: str, at: int) -> None:
        """Adds a task in an officer's own words."""
        with self._store.writing() as writer:
            place = len(writer.rows("SELECT id FROM task WHERE proceeding_id = ?", proceeding_id))
            task_id = uuid4().hex
            writer.run("INSERT INTO task VALUES (?, ?, ?, '', ?, ?, 0, '')", task_id, proceeding_id, place, title, days)
            self._audit.write_in(writer, at, officer, "task_added", f"{proceeding_id} {task_id}")

    def give(self, proceeding_id: str, owner: str, officer: str, at: int) -> None:
        """Gives a proceeding to an officer."""
        with self._store.writing() as writer:
            writer.run("UPDATE proceeding SET owner = ? WHERE id = ?", owner, proceeding_id)
            self._audit.write_in(writer, at, officer, "proceeding_given", proceeding_id, owner)

    def add_evidence(self, proceeding_id: str, kind: str, reference: str, content: str, *, officer: str, at: int) -> None:
        """Adds what something rests on: where it can be found, never the document itself."""
        with self._store.writing() as writer:
            writer.run(
                "INSERT INTO evidence VALUES (?, ?, ?, ?, ?, ?, ?)",
                uuid4().hex, proceeding_id, officer, at, kind, reference, content,
            )  # fmt: skip
            self._audit.write_in(writer, at, officer, "evidence_added", proceeding_id, kind)

    def stop_clock(self, proceeding_id: str, reason: str, officer: str, at: int, on: int) -> None:
        """Lets the clock stand still from a day on."""
        with self._store.writing() as writer:
            if writer.rows("SELECT id FROM pause WHERE proceeding_id = ? AND until_on = 0", proceeding_id):
                return
            writer.run("INSERT INTO pause VALUES (?, ?, ?, 0, ?, ?)", uuid4().hex, proceeding_id, on, reason, officer)
            self._audit.write_in(writer, at, officer, "clock_stopped", proceeding_id, reason)

    def start_clock(self, proceeding_id: str, officer: str, at: int, on: int) -> None:
        """Lets the clock go on from a day on."""
        with self._store.writing() as writer:
            if writer.run("UPDATE pause SET until_on = ? WHERE proceeding_id = ? AND until_on = 0", on, proceeding_id):
                self._audit.write_in(writer, at, officer, "clock_started", proceeding_id)

    def closing(
        self, proceeding: Proceeding, outcome: str, reason: str, *, officer: str, at: int, on: int
    ) -> Callable[[Writer], bool]:
        """Returns what ends a proceeding, to be done in the same transaction as the decisions it ends with.

        Returns:
            Says whether the proceeding was open until then: only if so may its decisions be taken.

        Raises:
            ValueError: the outcome is none of the procedure's, or no reason is given: nothing ends without.
        """
        if outcome not in proceeding.procedure.outcomes or not reason:
            raise ValueError(outcome)

        def close(writer: Writer) -> bool:
            closed = writer.run(
                "UPDATE proceeding SET closed_at = ?, closed_by = ?, outcome = ?, reason = ? WHERE id = ? AND closed_at = 0",
                at, officer, outcome, reason, proceeding.id,
            )  # fmt: skip
            if closed:
                writer.run("UPDATE pause SET until_on = ? WHERE proceeding_id = ? AND until_on = 0", on, proceeding.id)
                self._audit.write_in(writer, at, officer, f"closed_{outcome}", proceeding.id, reason)
            return bool(closed)

        return close

    def close(self, closing: Callable[[Writer], bool]) -> bool:
        """Ends a proceeding whose outcome decides nothing in the log."""
        with self._store.writing() as writer:
            return closing(writer)


def _proceeding(row: Row) -> Proceeding:
    return Proceeding(str(row[0]), procedures()[str(row[1])], *row[2:])
