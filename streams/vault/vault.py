"""The vault: documents behind pseudonyms, sealed at rest; whoever reads one says why, and the audit keeps it."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, replace

from streams.clock import now_ms
from streams.documents import TravelDocument
from streams.errors import IntegrityError, SetupError, UsageError
from streams.publish.sealing import Keys
from streams.vault.masking import Masked, masked
from streams.vault.store import Row, Store

DAY_MS = 86_400_000
SHORTEST_REASON = 5
_PAGE = 1_000

Trail = Callable[[str, str, str, str], None]
"""Writes a line of the audit: officer, action, about what (never a person's data), reason. If it raises, nothing is shown."""


class Vault:
    """Keeps, shows and forgets documents.

    Args:
        store: where the sealed rows are.
        keys: what seals them.
        trail: the audit; none where documents are only kept (a gateway, an edge): then nothing can be read.
        clock: UTC epoch ms.
    """

    def __init__(self, store: Store, keys: Keys, trail: Trail | None = None, clock: Callable[[], int] = now_ms) -> None:
        self.store = store
        self._keys = keys
        self._trail = trail
        self._clock = clock

    def keep(self, held: list[tuple[str, TravelDocument]]) -> None:
        """Keeps documents, all or none; what an earlier reading of the same document said stays where a later one is silent.

        Args:
            held: pseudonyms and the documents they stand for.

        Raises:
            SetupError: they could not be kept.
        """
        if not held:
            return
        now = self._clock()
        today = now // DAY_MS
        with self.store.writing():
            known = self.store.get({subject for subject, _ in held})
            changed: dict[str, Row] = {}
            for subject, document in held:
                row = changed.get(subject) or known.get(subject)
                before = None if row is None else self.unsealed(row)
                whole = document if before is None else before.with_more(document)
                if row is None or whole != before:
                    changed[subject] = self._sealed(subject, whole, today, now)
                elif row.seen_on < today:
                    changed[subject] = replace(row, seen_on=today)
            if changed:
                self.store.put(list(changed.values()))

    def reveal(self, subject: str, reason: str, *, officer: str, about: str = "") -> Masked | None:
        """Returns a document as it may be shown on a page; none if there is none. It stands in the audit before it is returned.

        Args:
            subject: the pseudonym.
            reason: why, in the officer's words.
            officer: the officer's pseudonym.
            about: what the line of the audit is about: an alert's or case's id, never a person's data.

        Raises:
            UsageError: there is no reason.
            SetupError: the vault cannot be read, or was opened only for keeping.
            UnsealError: the row was changed, or its key is missing.
        """
        document = self.read(subject, reason, officer=officer, about=about, action="vault_shown")
        return None if document is None else masked(document)

    def read(
        self, subject: str, reason: str, *, officer: str, about: str = "", action: str = "vault_read"
    ) -> TravelDocument | None:
        """Returns a whole document, for a program that compares and does not show it; audited and raises as `reveal`."""
        if len(reason.strip()) < SHORTEST_REASON:
            raise UsageError(f"Expected a reason of at least {SHORTEST_REASON} characters for reading a document.")
        self.audit(officer, action, about, reason.strip())
        row = self.store.get({subject}).get(subject)
        return None if row is None else self.unsealed(row)

    def audit(self, officer: str, action: str, about: str, reason: str) -> None:
        """Writes a line of the audit.

        Raises:
            SetupError: the vault was opened without one.
        """
        if self._trail is None:
            raise SetupError("This vault was opened for keeping documents only.", "Read it where the audit is.")
        self._trail(officer, action, about, reason)

    def erase(self, subjects: Collection[str]) -> None:
        """Forgets documents for good."""
        self.store.erase(subjects)

    def erase_unseen(self, keep_days: int) -> int:
        """Forgets documents that nobody has given for so long; returns how many.

        Args:
            keep_days: the policy's longest clock: the vault does not know who left, so it may not be shorter than the
                dossier's (`streams.policy.model.Rules.retention_no_exit_years`).

        Raises:
            UsageError: it is no time at all.
        """
        if keep_days < 1:
            raise UsageError(f"Expected to keep documents for at least a day; got {keep_days}.")
        old = self.store.last_seen_before(self._clock() // DAY_MS - keep_days)
        if old:
            self.store.erase(old)
        return len(old)

    def rotate(self) -> int:
        """Seals everything anew under the first key of the key file; returns how many rows were sealed anew.

        Killed in between it goes on where it stopped: what is sealed under the first key already is passed over. After it the
        other keys can be taken out of the file.

        Raises:
            UnsealError: a row's key is missing from the file.
        """
        number = 0
        for rows in self._pages():
            old = [row for row in rows if not self._keys.is_current(row.sealed)]
            if not old:
                continue
            with self.store.writing():
                # As they are now: somebody may have written since the page was read.
                fresh = self.store.get({row.subject for row in old})
                old = [row for row in fresh.values() if not self._keys.is_current(row.sealed)]
                self.store.put([self._sealed(row.subject, self.unsealed(row), row.seen_on, row.kept_at) for row in old])
                number += len(old)
        return number

    def outdated(self) -> int:
        """Returns how many rows are sealed under a key that is no longer in use."""
        return sum(not self._keys.is_current(row.sealed) for rows in self._pages() for row in rows)

    def documents(self) -> Iterator[tuple[str, TravelDocument]]:
        """Yields everything, for changes of keys; who uses it writes its own line of the audit."""
        for rows in self._pages():
            for row in rows:
                yield row.subject, self.unsealed(row)

    def unsealed(self, row: Row) -> TravelDocument:
        """Returns the document of a row.

        Raises:
            UnsealError: the row was changed, belongs to another pseudonym, or its key is missing.
        """
        content = json.loads(self._keys.unseal(row.sealed, row.subject.encode()))
        try:
            return TravelDocument(**content)
        except TypeError:
            raise IntegrityError("A row of the vault was written by a newer program.", "Use that program.") from None

    def born_marks(self, document: TravelDocument) -> list[bytes]:
        """Returns the marks of a birth date, under each key; none if it is not wholly known."""
        return self._keys.marks(b"born\x1f" + document.born_on.encode()) if len(document.born_on) == 10 else []

    def personal_marks(self, document: TravelDocument) -> list[bytes]:
        """Returns the marks of a personal number and its issuer, under each key; none if there is none."""
        if not document.personal_number:
            return []
        return self._keys.marks(b"\x1f".join((b"personal", document.issuing_country.encode(), document.personal_number.encode())))

    def _sealed(self, subject: str, document: TravelDocument, seen_on: int, kept_at: int) -> Row:
        content = json.dumps({name: value for name, value in asdict(document).items() if value}, separators=(",", ":"))
        born, personal = self.born_marks(document), self.personal_marks(document)
        return Row(
            subject,
            self._keys.seal(content.encode(), subject.encode()),
            born[0] if born else b"",
            personal[0] if personal else b"",
            seen_on,
            kept_at,
        )

    def _pages(self) -> Iterator[list[Row]]:
        after = ""
        while rows := self.store.walk(after, _PAGE):
            yield rows
            after = rows[-1].subject

    def close(self) -> None:
        """Gives back what the store holds."""
        self.store.close()
