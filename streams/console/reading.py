"""What the pages ask the warehouse. Every answer is for one visitor: an oblast operator's questions carry the oblast."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from streams.console.filters import OPEN
from streams.errors import SetupError
from streams.local.stack import find_stack
from streams.settings import Settings
from streams.warehouse.ask import Asker, HttpAsker, ServerAsker
from streams.warehouse.columns import quote

PAGE = 50

Fields = dict[str, Any]

ROW = (
    "alert_id, version, rule, family, state, grade, severity, stay_on, deadline_on, first_day_on, last_day_on, days, "
    "`group`, oblast, post, startsWith(subject, 'p') AS personal, reason, decided_at, "
    "toUnixTimestamp64Milli(decided_at) AS decided_ms, toUnixTimestamp64Milli(received_at) AS received_ms"
)


class Reading:
    """Asks the warehouse; one connection per thread, made when it is first used.

    Args:
        settings: own ClickHouse, or the home of the running stack.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._own = threading.local()

    def _asker(self) -> Asker:
        asker: Asker | None = getattr(self._own, "asker", None)
        if asker is None:
            url = self._settings.clickhouse.get_secret_value()
            if url:
                asker = ServerAsker(url)
            else:
                stack = find_stack(self._settings)
                if not stack.sql_url:
                    raise SetupError(
                        "No warehouse runs with this stack.", "Start 'shekara warehouse', or set SHEKARA_CLICKHOUSE."
                    )
                from pathlib import Path

                asker = HttpAsker(stack.sql_url, Path(stack.token_file))
            self._own.asker = asker
        return asker

    def ask(self, sql: str) -> list[Fields]:
        """Returns the rows of an answer by column name.

        Raises:
            ShekaraError: refused, or nobody answered.
        """
        try:
            result = self._asker().select(sql)
        except Exception:
            self._own.asker = None  # whatever is wrong with it, the next question begins anew
            raise
        return [dict(zip(result.names, row, strict=True)) for row in result.rows]

    def positions(self) -> dict[int, int]:
        """Returns the last offset of the alerts topic that is in the warehouse, by partition."""
        rows = self.ask("SELECT log_partition AS p, max(log_offset) AS o FROM alerts GROUP BY p")
        return {row["p"]: row["o"] for row in rows}

    def alert(self, alert_id: UUID, oblast: str) -> Fields | None:
        """Returns everything about an alert as it stands now, its person's pseudonym included; none if there is none."""
        return self._one("alerts_now", "alert_id", alert_id, oblast)

    def versions(self, alert_id: UUID) -> list[Fields]:
        """Returns every version of an alert, the oldest first."""
        return self.ask(f"SELECT * FROM alerts FINAL WHERE alert_id = {quote(str(alert_id))} ORDER BY version")  # noqa: S608

    def some(self, alert_ids: Iterable[UUID], oblast: str) -> list[Fields]:
        """Returns alerts by id, of those the visitor may see, with their persons' pseudonyms."""
        wanted = ", ".join(quote(str(one)) for one in alert_ids)
        return self.ask(f"SELECT * FROM alerts_now WHERE alert_id IN ({wanted}){_within(oblast)}") if wanted else []  # noqa: S608

    def case(self, case_id: UUID, oblast: str) -> Fields | None:
        """Returns a case as it stands now; none if there is none."""
        return self._one("cases_now", "case_id", case_id, oblast)

    def case_versions(self, case_id: UUID) -> list[Fields]:
        """Returns every version of a case, the oldest first."""
        return self.ask(f"SELECT * FROM cases FINAL WHERE case_id = {quote(str(case_id))} ORDER BY version")  # noqa: S608

    def decisions(self, case_id: UUID) -> list[Fields]:
        """Returns officers' decisions on a case, in the order that counts."""
        return self.ask(
            "SELECT event_id, decision, officer, reason, occurred_at FROM core_case_decision "  # noqa: S608
            f"WHERE case_id = {quote(str(case_id))} ORDER BY occurred_at, toString(event_id)"
        )

    def employer_decisions(self, column: str, value: str) -> list[Fields]:
        """Returns how work on alerts about an employer ended, the oldest first.

        Args:
            column: ``alert_id``, or ``subject`` for everything about an employer.
            value: which.
        """
        if column not in ("alert_id", "subject"):
            raise ValueError(column)
        return self.ask(
            "SELECT alert_id, alert_version, decision, officer, reason, occurred_at FROM core_employer_decision "  # noqa: S608
            f"WHERE {column} = {quote(value)} ORDER BY occurred_at, toString(event_id) LIMIT 200"
        )

    def cases(self, stage: str, oblast: str, *, limit: int = 200) -> list[Fields]:
        """Returns cases, those due first; ``open``: on which someone has to act."""
        where = "open" if stage == "open" else f"stage = {quote(stage)}"
        return self.ask(
            f"SELECT * FROM cases_now WHERE {where}{_within(oblast)} "  # noqa: S608  # the stage is one of a list
            f"ORDER BY due_on IS NULL, due_on, opened_at, toString(case_id) LIMIT {limit}"
        )

    def pseudonyms_of(self, subject: str) -> list[str]:
        """Returns the pseudonyms a person's events lie under: the one that answers first, and nearly always alone.

        Args:
            subject: the pseudonym that answers for the person.
        """
        name = quote(subject)
        # Most people are in no link, and who is whom costs a walk over all links.
        linked = self.ask(f"SELECT 1 AS linked FROM raw_identity_link WHERE subject = {name} OR other_subject = {name} LIMIT 1")  # noqa: S608
        if not linked:
            return [subject]
        others = self.ask(f"SELECT subject FROM core_same_person WHERE person = {name} AND subject != {name} ORDER BY subject")  # noqa: S608
        return [subject, *(str(row["subject"]) for row in others)]

    def events_of(self, subjects: list[str], kind: str) -> list[Fields]:
        """Returns a person's events of one type as delivered, dead letters left out.

        Args:
            subjects: the person's pseudonyms.
            kind: name of the event type.
        """
        return self.ask(
            f"SELECT * FROM raw_{kind} WHERE subject IN ({', '.join(map(quote, subjects))}) "  # noqa: S608  # the type is one of ours
            "AND (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM dead_letters)"
        )

    def clock(self) -> int:
        """Returns the log's clock: the largest tick, UTC epoch ms; 0 before any."""
        rows = self.ask("SELECT toUnixTimestamp64Milli(max(occurred_at)) AS at FROM raw_tick")
        return max(int(rows[0]["at"]), 0) if rows else 0

    def employer_alerts(self, employer: str, oblast: str) -> list[Fields]:
        """Returns the alerts that name an employer, the newest first."""
        return self.ask(
            f"SELECT {ROW}, sector FROM alerts_now "  # noqa: S608
            f"WHERE (employer = {quote(employer)} OR subject = {quote(employer)}){_within(oblast)} "
            "ORDER BY decided_ms DESC LIMIT 200"
        )

    def declarations(self, employer: str) -> list[Fields]:
        """Returns an employer's declarations, the newest first."""
        return self.ask(
            f"SELECT * FROM core_employer_declaration WHERE subject = {quote(employer)} "  # noqa: S608
            "ORDER BY as_of_on DESC LIMIT 12"
        )

    def by_oblast(self, oblast: str) -> list[Fields]:
        """Returns open alerts by oblast and grade."""
        states = ", ".join(quote(one) for one in OPEN)
        return self.ask(
            "SELECT oblast, grade, sum(alerts) AS alerts FROM mart_alerts "  # noqa: S608
            f"WHERE state IN ({states}){_within(oblast)} GROUP BY oblast, grade"
        )

    def flows(self, oblast: str) -> list[Fields]:
        """Returns entries and exits of the last 14 days with crossings, the newest first."""
        where = f"WHERE oblast = {quote(oblast)} " if oblast else ""
        return self.ask(
            "SELECT day, sumIf(crossings, direction = 'entry') AS entries, sumIf(crossings, direction = 'exit') AS exits, "  # noqa: S608
            f"sumIf(crossings, direction = 'refusal') AS refusals FROM mart_daily_flows {where}"
            "GROUP BY day ORDER BY day DESC LIMIT 14"
        )

    def funnel(self, oblast: str) -> list[Fields]:
        """Returns the follow-up by stage."""
        where = f"WHERE oblast = {quote(oblast)} " if oblast else ""
        return self.ask(
            "SELECT stage, sum(cases_now) AS now, sum(cases_ever) AS ever, sum(protected_now) AS protected "  # noqa: S608
            f"FROM mart_follow_up {where}GROUP BY position, stage ORDER BY position"
        )

    def quality(self) -> list[Fields]:
        """Returns whether everything that came in is accounted for, by topic."""
        return self.ask(
            "SELECT topic, sum(produced) AS produced, sum(processed) AS processed, sum(dead_letters) AS dead_letters, "
            "min(balanced) AS balanced, sum(missing) AS missing FROM mart_ledger GROUP BY topic ORDER BY topic"
        )

    def _one(self, view: str, column: str, wanted: UUID, oblast: str) -> Fields | None:
        rows = self.ask(f"SELECT * FROM {view} WHERE {column} = {quote(str(wanted))}{_within(oblast)}")  # noqa: S608
        return rows[0] if rows else None


def _within(oblast: str) -> str:
    return f" AND oblast = {quote(oblast)}" if oblast else ""
