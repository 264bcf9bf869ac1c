"""Everything the console's pages use, put together once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from streams.clock import monotonic_s, now_ms
from streams.console.accounts import Accounts
from streams.console.audit import Audit
from streams.console.decisions import Decisions
from streams.console.live import Live
from streams.console.proceedings import Proceedings
from streams.console.reading import Reading
from streams.console.rights import Action
from streams.console.second_factor import SecondFactor
from streams.console.sessions import Sessions
from streams.console.states import States
from streams.console.store import SqliteStore, Store
from streams.console.texts import LANGUAGES, NAMES
from streams.console.wording import place_of, reason_of, title_of
from streams.console.work import Work, answer_by
from streams.errors import SetupError
from streams.policy.model import Policy
from streams.settings import Settings

if TYPE_CHECKING:
    from argon2 import PasswordHasher

    from streams.console.visit import Visit


@dataclass
class Desk:
    """The parts behind the pages.

    Attributes:
        settings: of the process.
        policy: titles of rules, options, places; working days.
        store: accounts, sessions, notes, audit.
        accounts: who may sign in.
        sessions: who is signed in.
        second: the second factor of whoever has one.
        audit: who did what.
        work: who has which alert.
        proceedings: the work along a path, with its clock.
        pages: the templates.
        demo: whether an invented country is shown.
        secure: whether browsers reach us over TLS.
        menu: what the menu offers, of it each role what it may do.
        closers: what to call at the end, the last first.
    """

    settings: Settings
    policy: Policy
    store: Store
    accounts: Accounts
    sessions: Sessions
    second: SecondFactor
    audit: Audit
    work: Work
    proceedings: Proceedings
    pages: Environment
    demo: bool = False
    secure: bool = False
    menu: tuple[tuple[str, Action, str], ...] = ()
    _reading: Reading | None = None
    _live: Live | None = None
    _decisions: Decisions | None = None
    _states: States | None = None
    _clock: tuple[float, int] = (-1e9, 0)
    closers: list[Callable[[], Any]] = field(default_factory=list)

    @property
    def reading(self) -> Reading:
        """Returns what asks the warehouse."""
        if self._reading is None:
            self._reading = Reading(self.settings)
        return self._reading

    @property
    def live(self) -> Live:
        """Returns what follows the alerts topic.

        Raises:
            SetupError: this desk was not connected.
        """
        if self._live is None:
            raise SetupError("The console is not connected to Kafka.")
        return self._live

    @property
    def decisions(self) -> Decisions:
        """Returns what takes decisions.

        Raises:
            SetupError: this desk was not connected.
        """
        if self._decisions is None:
            raise SetupError("The console is not connected to Kafka.")
        return self._decisions

    @property
    def states(self) -> States:
        """Returns what is known by pseudonym.

        Raises:
            SetupError: this desk was not connected.
        """
        if self._states is None:
            raise SetupError("The console is not connected to Kafka.")
        return self._states

    def connect(self) -> None:
        """Begins to follow the alerts topic and the states, and to send decisions."""
        self._states = States(self.settings, folder(self.settings) / "states.db")
        self._states.start()
        self.closers.append(self._states.close)
        self._live = Live(self.settings)
        self._decisions = Decisions(self.settings, self.store, self.audit, self.clock)
        self.closers += [self._decisions.close, self._live.close]
        self._live.start()

    def clock(self) -> int:
        """Returns the log's clock, UTC epoch ms: the wall's; in an invented country, whose time stands, its last tick."""
        return (self.reading.clock() or now_ms()) if self.demo else now_ms()

    def steady_clock(self) -> int:
        """Returns the log's clock as of a few seconds ago: what is asked many times a second must not ask the warehouse."""
        asked_s, at = self._clock
        if monotonic_s() - asked_s > _CLOCK_S:
            at = self.clock()
            self._clock = (monotonic_s(), at)
        return at if self.demo else now_ms()

    def today(self) -> int:
        """Returns the country's day by the wall's clock, days since 1970-01-01."""
        return self.policy.local_day(now_ms(), "")

    def log_day(self) -> int:
        """Returns the country's day by the log's clock, days since 1970-01-01: terms run by it."""
        return self.policy.local_day(self.steady_clock(), "")

    def day_of(self, day: date) -> int:
        """Returns a date as days since 1970-01-01."""
        return (day - _EPOCH).days

    def tell_feeds(self) -> None:
        """Lets every open feed look whether the work on an alert changed."""
        if self._live is not None:
            self._live.wake()

    def officer_names(self) -> dict[str, str]:
        """Returns the accounts' names by officer's pseudonym: what colleagues call each other."""
        return {one.officer: one.name for one in self.accounts.all()}

    def trouble(self) -> str:
        """Returns why the console cannot be used yet; empty when it can."""
        return "" if self._live is None else self._live.trouble

    def close(self) -> None:
        """Gives everything back."""
        for close in reversed(self.closers):
            close()


_EPOCH = date(1970, 1, 1)
_CLOCK_S = 5.0

MENU: tuple[tuple[str, Action, str], ...] = (
    ("/overview", "see_overview", "nav.overview"),
    ("/posts", "see_overview", "nav.posts"),
    ("/feed", "see_alerts", "nav.feed"),
    ("/cases", "see_alerts", "nav.cases"),
    ("/proceedings", "see_alerts", "nav.proceedings"),
    ("/check", "check_document", "nav.check"),
    ("/accounts", "manage_accounts", "nav.accounts"),
    ("/audit", "see_audit", "nav.audit"),
)
"""The menu: path, the action it needs, its text."""


def _csrf(visit: Visit) -> Markup:
    """Returns the field every form that changes something carries."""
    token = "" if visit.session is None else visit.session.csrf
    return Markup('<input type="hidden" name="csrf" value="{}">').format(token)  # format escapes


def folder(settings: Settings) -> Path:
    """Returns where the console keeps its own data."""
    return settings.home.absolute() / "console"


def furnish(
    settings: Settings, policy: Policy, *, demo: bool = False, secure: bool = False, hasher: PasswordHasher | None = None
) -> Desk:
    """Puts the parts together.

    Args:
        settings: home and the rest.
        policy: the policy.
        demo: whether an invented country is shown.
        secure: whether browsers reach us over TLS.
        hasher: of passwords; argon2id's own defaults if not given.

    Raises:
        SetupError: the store or the key of the audit cannot be opened.
    """
    store = SqliteStore(folder(settings) / "console.db")
    accounts = Accounts(store, hasher)
    audit = Audit(store, folder(settings))
    pages = Environment(
        loader=PackageLoader("streams.console", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.globals |= {
        "languages": LANGUAGES,
        "language_names": NAMES,
        "csrf": _csrf,
        "title_of": title_of,
        "reason_of": reason_of,
        "place_of": place_of,
        "answer_by": answer_by,
        "uuid_of": lambda content: str(UUID(bytes=content)),
    }
    # In an invented country there is nobody to protect, and its accounts share one password that is shown.
    second = SecondFactor(store, folder(settings), required=not demo)
    sessions, work = Sessions(store, accounts), Work(store, audit)
    proceedings = Proceedings(store, audit, policy.working_days)
    desk = Desk(settings, policy, store, accounts, sessions, second, audit, work, proceedings, pages, demo, secure, MENU)
    desk.closers += [store.close, audit.checkpoint]
    return desk
