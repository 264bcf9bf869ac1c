"""Everything the console's pages use, put together once."""

from __future__ import annotations

import contextlib
import threading
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
from streams.console.country_map import CountryMap, read_map
from streams.console.decisions import Decisions
from streams.console.editions import Editions
from streams.console.live import Live
from streams.console.proceedings import Proceedings
from streams.console.provider import Provider, furnished
from streams.console.reading import Reading
from streams.console.rights import Action
from streams.console.second_factor import SecondFactor
from streams.console.sessions import Sessions
from streams.console.states import States
from streams.console.store import Store, open_store
from streams.console.texts import LANGUAGES, NAMES
from streams.console.wording import place_of, reason_of, title_of
from streams.console.work import Work, answer_by
from streams.console.work_elsewhere import follow_work
from streams.errors import DependencyError, SetupError, ShekaraError
from streams.policy.model import Policy
from streams.settings import Settings
from streams.vault import Vault, open_vault

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
        public_url: where browsers reach us, if that is not what they ask for by name: behind a TLS proxy.
        provider: where officers may sign in instead of here; none: local accounts only.
        menu: what the menu offers, of it each role what it may do.
        vault: the documents behind pseudonyms; none where the settings name no key of one.
        editions: what was written for one feed and others need too.
        country_map: the oblasts' outlines; none: a grid of tiles.
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
    public_url: str = ""
    provider: Provider | None = None
    menu: tuple[tuple[str, Action, str], ...] = ()
    vault: Vault | None = None
    editions: Editions = field(default_factory=Editions)
    country_map: CountryMap | None = None
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
        if self.settings.console_store.get_secret_value():
            self.closers.append(follow_work(self.work, self._live.wake))

    def clock(self) -> int:
        """Returns the log's clock, UTC epoch ms: the wall's; in an invented country, whose time stands, its last tick."""
        return (self.reading.clock() or now_ms()) if self.demo else now_ms()

    def steady_clock(self) -> int:
        """Returns the log's clock as of a few seconds ago: what is asked many times a second must not wait for the warehouse."""
        if not self.demo:
            return now_ms()
        asked_s, at = self._clock
        if not at:
            at = self.clock()
            self._clock = (monotonic_s(), at)
        elif monotonic_s() - asked_s > _CLOCK_S:
            self._clock = (monotonic_s(), at)  # the others need not ask, too
            threading.Thread(target=self._ask_clock, name="clock", daemon=True).start()
        return at

    def _ask_clock(self) -> None:
        with contextlib.suppress(ShekaraError):  # the next one asks again
            self._clock = (monotonic_s(), self.clock())

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
        try:
            self.store.rows("SELECT 1")
        except DependencyError as error:
            return error.what
        return "" if self._live is None else self._live.trouble

    def close(self) -> None:
        """Gives everything back."""
        for close in reversed(self.closers):
            # A store that is away takes no last checkpoint: the rest is given back all the same.
            with contextlib.suppress(DependencyError):
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

IDENTITY: tuple[str, Action, str] = ("/identity", "settle_identity", "nav.identity")
"""In the menu behind the check, where there is a vault in which people can be compared."""


def _csrf(visit: Visit) -> Markup:
    """Returns the field every form that changes something carries."""
    token = "" if visit.session is None else visit.session.csrf
    return Markup('<input type="hidden" name="csrf" value="{}">').format(token)  # format escapes


def folder(settings: Settings) -> Path:
    """Returns where the console keeps its own data."""
    return settings.home.absolute() / "console"


def furnish(
    settings: Settings, policy: Policy, *, demo: bool = False, public_url: str = "", hasher: PasswordHasher | None = None
) -> Desk:
    """Puts the parts together.

    Args:
        settings: home and the rest.
        policy: the policy.
        demo: whether an invented country is shown.
        public_url: https://… under which browsers reach us through a TLS proxy; empty: as they ask for us, on loopback.
        hasher: of passwords; argon2id's own defaults if not given.

    Raises:
        SetupError: the store or the key of the audit cannot be opened, or the map is none.
    """
    drawn = read_map(settings.map_file, policy.codes.oblasts) if settings.map_file else None
    store = open_store(settings, folder(settings))
    try:
        keep_apart(store, demo=demo)
        desk = _furnish(settings, policy, store, demo=demo, public_url=public_url, hasher=hasher)
    except BaseException:
        store.close()
        raise
    desk.country_map = drawn
    return desk


def keep_apart(store: Store, *, demo: bool) -> None:
    """Marks a store as an invented country's or a real one's, for good once somebody can sign in: neither's accounts open both.

    Raises:
        SetupError: it is the other's.
    """
    wanted = "invented" if demo else "real"
    with store.writing() as writer:
        found = writer.rows("SELECT content FROM setting WHERE name = 'country'")
        used = writer.rows("SELECT 1 FROM account WHERE password <> '' UNION SELECT 1 FROM identity LIMIT 1")
        if not found or not used:
            writer.run("DELETE FROM setting WHERE name = 'country'")
            writer.run("INSERT INTO setting VALUES ('country', ?)", wanted)
    if found and used and found[0][0] != wanted:
        raise SetupError(
            f"The console's store belongs to a country that is {found[0][0]}; this stack's is {wanted}.",
            "Give each a store of its own: SHEKARA_CONSOLE_STORE, or another SHEKARA_HOME.",
        )


def _furnish(
    settings: Settings, policy: Policy, store: Store, *, demo: bool, public_url: str, hasher: PasswordHasher | None
) -> Desk:
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
    provider = furnished(settings, store, policy.codes.oblasts)
    desk = Desk(settings, policy, store, accounts, sessions, second, audit, work, proceedings, pages, demo, menu=MENU)
    desk.public_url, desk.secure, desk.provider = public_url.rstrip("/"), bool(public_url), provider
    desk.closers += [store.close, audit.checkpoint]
    if provider is not None:
        desk.closers.append(provider.close)
    desk.vault = open_vault(settings, lambda officer, action, about, why: audit.write(now_ms(), officer, action, about, why))
    if desk.vault is not None:
        place = [path for path, _, _ in MENU].index("/check") + 1
        desk.menu = (*MENU[:place], IDENTITY, *MENU[place:])
        desk.closers.append(desk.vault.close)
    return desk
