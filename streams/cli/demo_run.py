"""One run of the demo: start, publish, wait until every record is accounted for, add up."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from streams.cli.demo_feed import Feed
from streams.clock import monotonic_s, now_ms
from streams.errors import DependencyError, IntegrityError, UsageError
from streams.local import admin, stack, topics
from streams.local.observer import Observer
from streams.local.serve import start_stack
from streams.local.supervisor import Supervisor
from streams.local.usage import PeakMemory
from streams.settings import Settings
from streams.wire.topics import TOPICS

if TYPE_CHECKING:
    from kafka.admin import KafkaAdminClient
    from rich.console import Console
    from rich.progress import Progress

_LOOK_EVERY_S = 0.25
_STUCK_AFTER_S = 120.0
"""No progress at all for so long is a failure, not patience."""

UNREGISTERED_WORK = frozenset({"work_without_permit", "work_permit_expired", "work_other_employer"})

Ends = dict[tuple[str, int], int]


@dataclass(frozen=True, slots=True)
class Result:
    """What the demo has to tell; counts are of the home's whole life unless they say otherwise.

    Attributes:
        produced: records in the input topics.
        processed: records decided, from the ledger.
        dead_letters: records sent to the dead letters, from the ledger.
        alerts: alerts by rule and state, each counted once, as it stands now.
        rows: rows by table of the warehouse, repetitions not counted.
        seconds: by phase of this run.
        events_per_second: records of this run processed per second, without its live phase.
        peak_rss_mb: by process, and ``together``.
        p50_alert_latency_ms: median from cause to reader, of the alerts caused in the live phase.
        p99_alert_latency_ms: the same, 99th percentile.
        this_run: produced, processed, dead_letters, new_alerts of this run; produced by its own count of acknowledgements and,
            in told_on, what workers wrote into the log of persons about people with several pseudonyms.
        funnel: cases by stage.
        workers: open alerts of unregistered work by oblast.
    """

    produced: int
    processed: int
    dead_letters: int
    alerts: dict[str, dict[str, int]]
    rows: dict[str, int]
    seconds: dict[str, float]
    events_per_second: float
    peak_rss_mb: dict[str, float]
    p50_alert_latency_ms: float | None
    p99_alert_latency_ms: float | None
    this_run: dict[str, int]
    funnel: dict[str, int]
    workers: dict[str, int]

    def plain(self) -> dict[str, Any]:
        """Returns the object that ``--json`` prints."""
        names = (
            *("produced", "processed", "dead_letters", "alerts", "rows", "seconds", "events_per_second"),
            *("peak_rss_mb", "p50_alert_latency_ms", "p99_alert_latency_ms", "this_run"),
        )
        return {name: getattr(self, name) for name in names}


TOLD_ON = "raw_shared_facts"
"""The table of what states of one person's pseudonyms told each other: records of the log that no publisher sent."""


class Demo:
    """One run.

    Args:
        supervisor: inside its ``running`` block.
        console: where progress is shown.
        people: of the simulation.
        days: of the simulation.
        seed: of the simulation.
        live_s: real seconds of the last simulated day.
    """

    def __init__(self, supervisor: Supervisor, console: Console, *, people: int, days: int, seed: int, live_s: float) -> None:
        self._supervisor = supervisor
        self._console = console
        self._people = people
        self._days = days
        self._seed = seed
        self._live_s = live_s

    def run(self) -> Result:
        """Runs everything and returns when every record is accounted for and in the warehouse.

        Raises:
            ChildFailedError: a process ended.
            IntegrityError: the counts do not add up.
            DependencyError: nothing moves any more.
        """
        from streams.simulate import Simulation

        memory = PeakMemory(lambda: self._supervisor.pids() | {"demo": os.getpid()})
        memory.start()
        begun_s = monotonic_s()
        settings = start_stack(self._supervisor, self._console)
        seconds = {"start": _since(begun_s)}
        simulation = Simulation(self._people, self._days, self._seed)
        plan = simulation.plan()
        feed, observer = Feed(settings, simulation, self._live_s), Observer(settings)
        observer.start()
        try:
            with admin.connect(settings.kafka, settings) as client:
                watch = Watch(self._supervisor, settings, client, feed, observer)
                with self._console.status("Reading what is there from earlier runs …"):
                    watch.until(watch.is_settled)
                before = watch.counts() | {"told_on": self._told_on()}
                _claim(self._supervisor.settings, before)
                feed.start()
                with _progress(self._console) as progress:
                    seconds |= _follow(watch, progress, plan.events + plan.ticks * (settings.partitions - 1), before)
                memory.stop()
                return _add_up(watch, self._supervisor, seconds, memory, before)
        finally:
            feed.stop()
            observer.stop()
            memory.stop()

    def _told_on(self) -> int:
        """Returns how many records workers have written into the log of persons, from earlier runs."""
        from streams.cli.demo_rows import rows_by_table

        return rows_by_table(self._supervisor.describe(), self._supervisor.settings).get(TOLD_ON, 0)


class Watch:
    """Everything that is watched while the demo runs.

    Args:
        supervisor: its processes must live.
        settings: how Kafka is reached.
        client: administration client.
        feed: what publishes.
        observer: what reads.
    """

    def __init__(
        self, supervisor: Supervisor, settings: Settings, client: KafkaAdminClient, /, feed: Feed, observer: Observer
    ) -> None:
        self._supervisor = supervisor
        self._settings = settings
        self._client = client
        self.feed = feed
        self.observer = observer

    def counts(self) -> dict[str, int]:
        """Returns what has been decided so far."""
        ledger = self.observer.ledger
        return {
            "processed": ledger.processed,
            "dead_letters": ledger.dead_letters,
            "alerts": self.observer.alert_count(),
        }

    def ends(self, *roles: str) -> Ends:
        """Returns the end offsets of the topics with these roles."""
        names = [topic.name(self._settings.namespace) for topic in TOPICS if topic.role in roles]
        return {(place.topic, place.partition): offset for place, offset in topics.ends(self._client, names).items()}

    def not_stored(self, ends: Ends) -> int:
        """Returns how many offsets the warehouse has not committed."""
        stored = topics.committed(self._client, f"{self._settings.namespace}-sink")
        read = {(place.topic, place.partition): offset for place, offset in stored.items()}
        return sum(max(0, end - read.get(place, 0)) for place, end in ends.items())

    def is_decided(self) -> bool:
        """Returns whether the ledger accounts for every record of the inputs."""
        return self.observer.has_begun and self.observer.ledger.behind(self.ends("input")) == 0

    def is_settled(self) -> bool:
        """Returns whether the worker has decided, the observer has seen and the warehouse holds everything."""
        if not self.is_decided():
            return False
        # Only now: the links are complete once the inputs are decided, and the outputs once the links are.
        links = self.ends("internal")
        if self.observer.behind(links) or self.observer.links_waiting():
            return False
        ends = self.ends("input", "output")
        return self.observer.behind(ends | links) == 0 and self.not_stored(ends) == 0 and not self.observer.links_waiting()

    def until(self, true: Callable[[], bool], show: Callable[[], None] = lambda: None) -> float:
        """Watches until something is true.

        Args:
            true: what is waited for.
            show: brings the progress up to date.

        Returns:
            Seconds it took.

        Raises:
            DependencyError: nothing has moved for two minutes.
        """
        begun_s = moved_s = monotonic_s()
        last: tuple[int, ...] = ()
        while True:
            self._supervisor.check()
            self.observer.check()
            self.feed.check()
            show()
            if true():
                return _since(begun_s)
            now = (*self.counts().values(), self.feed.acknowledged, self.not_stored(self.ends("input", "output")))
            if now != last:
                moved_s, last = monotonic_s(), now
            elif monotonic_s() - moved_s > _STUCK_AFTER_S:
                raise DependencyError(
                    f"Nothing has moved for {_STUCK_AFTER_S:.0f} s: the worker or the warehouse is stuck.",
                    f"Read the logs in {self._supervisor.log_folder}; 'shekara doctor' looks at each part.",
                )
            time.sleep(_LOOK_EVERY_S)


def _claim(settings: Settings, before: dict[str, int]) -> None:
    """Lets invented people in only where no others are.

    Raises:
        UsageError: there are records that no demo has written.
    """
    count = before["processed"] + before["dead_letters"]
    if count and not stack.is_simulated(settings):
        where = f"Kafka at {settings.kafka}" if settings.kafka else f"The data directory {settings.home}"
        raise UsageError(
            f"{where} holds {count} records in the namespace {settings.namespace!r} that no demo has written; "
            "invented people are not mixed with them.",
            "Give the demo a place of its own: --home DIR" + (" and SHEKARA_NAMESPACE=demo." if settings.kafka else "."),
        )
    stack.mark_simulated(settings)


def _follow(watch: Watch, progress: Progress, expected: int, before: dict[str, int]) -> dict[str, float]:
    """Shows the run live and returns the seconds of its phases."""
    feed, observer = watch.feed, watch.observer
    published = progress.add_task("published", total=expected)
    decided = progress.add_task("processed", total=expected)
    stored = progress.add_task("in ClickHouse", total=None)
    alerts = progress.add_task("alerts", total=None)

    def show() -> None:
        ends = watch.ends("input", "output")
        written, waiting = sum(ends.values()), watch.not_stored(ends)
        total = feed.acknowledged if feed.finished.is_set() else max(expected, feed.acknowledged)
        done = observer.ledger.processed + observer.ledger.dead_letters - before["processed"] - before["dead_letters"]
        progress.update(published, completed=feed.acknowledged, total=total)
        progress.update(decided, completed=done, total=total)
        progress.update(stored, completed=written - waiting, total=written)
        progress.update(alerts, completed=observer.alert_count())

    seconds = {"publish": watch.until(feed.bulk_done.is_set, show), "catch_up": watch.until(watch.is_decided, show)}
    observer.measure_from(now_ms())
    feed.go_live()
    seconds["live"] = watch.until(feed.finished.is_set, show)
    seconds["settle"] = watch.until(watch.is_settled, show)
    show()
    return seconds


def _add_up(
    watch: Watch, supervisor: Supervisor, seconds: dict[str, float], memory: PeakMemory, before: dict[str, int]
) -> Result:
    """Adds up and checks that produced = processed + dead letters, of the home's life and of this run."""
    from streams.cli.demo_rows import rows_by_table

    rows = rows_by_table(supervisor.describe(), supervisor.settings)
    told_on = rows.get(TOLD_ON, 0) - before["told_on"]
    feed, observer, ledger = watch.feed, watch.observer, watch.observer.ledger
    produced = sum(watch.ends("input").values()) - ledger.skipped
    after = watch.counts()
    here = {name: after[name] - before[name] for name in ("processed", "dead_letters")}
    for what, count, told in (
        ("the input topics hold", produced, ledger.processed + ledger.dead_letters),
        ("this run's publisher and workers have written", feed.acknowledged + told_on, sum(here.values())),
    ):
        if count != told:
            raise IntegrityError(
                f"The counts do not add up: {what} {count} records, the ledger accounts for {told}.",
                "Keep the data directory and report this.",
            )
    return Result(
        produced=produced,
        processed=ledger.processed,
        dead_letters=ledger.dead_letters,
        alerts=observer.alerts(),
        rows=rows,
        seconds=seconds | {"total": round(sum(seconds.values()), 3)},
        events_per_second=_rate(feed.acknowledged, seconds["publish"] + seconds["catch_up"]),
        peak_rss_mb=memory.peaks_mb(),
        p50_alert_latency_ms=observer.latency_ms(0.5),
        p99_alert_latency_ms=observer.latency_ms(0.99),
        this_run={
            "produced": feed.acknowledged + told_on,
            "told_on": told_on,
            **here,
            "new_alerts": after["alerts"] - before["alerts"],
        },
        funnel=observer.funnel(),
        workers=observer.open_by_oblast(UNREGISTERED_WORK),
    )


def _rate(records: int, seconds: float) -> float:
    return round(records / seconds, 1) if seconds > 0 else 0.0


def _since(begun_s: float) -> float:
    return round(monotonic_s() - begun_s, 3)


def _progress(console: Console) -> Progress:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(TextColumn("{task.description:>14}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console)
