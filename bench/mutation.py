"""`make mutation`: changes the program in one place at a time and asks whether a test notices.

Every mutant of `streams/detect` and `streams/policy` is run in a child of one warm process (bench/mutants.py): first whatever
killed another mutant of the same function, then the laws of tests/mutation case by case, then the unit tests of its room, until
one fails.

Resumable: what is known of a mutant is kept in the work folder, and not asked again unless its function changed. After
changing tests: `--again` asks the survivors anew.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import importlib
import json
import math
import os
import random
import resource
import signal
import sys
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import Any

from bench import mutants

READ_ONCE = ("build", "compare", "document", "kinds", "load", "registers")
"""Modules of `streams/policy` that work while a policy is loaded: before any law, and so only unit tests notice them."""

_POLICY = [
    "tests/unit/policy/test_zones.py", "tests/unit/policy/test_calendar.py", "tests/unit/policy/test_kz_values.py",
    "tests/unit/policy/test_compare.py", "tests/unit/policy/test_every_refusal.py", "tests/unit/policy/test_refusals.py",
    "tests/unit/policy/test_every_day.py", "tests/property/test_policy_days.py",
]  # fmt: skip
_OF_THE_SOURCE = [
    "--ignore=tests/unit/detect/test_every_rule.py",
    *[
        f"--deselect=tests/unit/{test}"
        for test in (
            "detect/test_contract.py::test_no_rule_reads_a_citizenship",
            "detect/test_contract.py::test_a_citizenship_is_read_only_to_ask_for_its_group",
            "detect/test_contract.py::test_no_rule_knows_a_country",
            "cases/test_interlock.py::test_a_referral_is_added_in_one_place_and_named_in_two",
        )
    ],
]
"""Tests that read the program's source, where all mutants stand side by side: they cannot tell one from another."""
UNIT = {
    "streams.detect.employers.": ["tests/unit/employer", "tests/unit/agents/test_employers.py"],
    "streams.detect.labour.": ["tests/unit/agents/test_labour.py"],
    "streams.detect.coverage_ledger.": ["tests/unit/agents/test_coverage_ledger.py"],
    "streams.detect.": [
        "tests/unit/detect", "tests/unit/person", "tests/unit/cases", "tests/unit/alerts",
        *_OF_THE_SOURCE,
    ],
    "streams.policy.": _POLICY,
}  # fmt: skip
"""Tests that have to notice what no law did, by the beginning of the module's name, the fast first."""

SURVIVED, NO_END, NOT_RUN = "survived", "killed (no end)", "not run"
_SAYS = ("tests/oracle", "tests/policy", "tests/property", "tests/mutation", "streams/policy", "streams/records")
"""What the oracle's word depends on: as long as it is the same, that is worked out once."""

LIMIT_S = 30
CASE_S = 3
"""Processor seconds a mutant may take, and one case of a law: the whole takes 12 s where nothing fails, a case 0.1 s."""
_NOT_IN_FORCE = "not in force"


def main() -> None:
    """Runs what was asked for."""
    parser = argparse.ArgumentParser(prog="make mutation", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--home", type=Path, default=Path.home() / ".cache" / "shekara" / "mutation", help="work folder; kept between runs"
    )
    parser.add_argument("--modules", default="*", help="glob of module names, e.g. 'streams.detect.allowance'")
    parser.add_argument("--sample", type=int, default=0, help="so many of all mutants, drawn at random; 0: all")
    parser.add_argument("--seed", type=int, default=1, help="what the sample, and the order of asking, is drawn with")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="so many at once")
    parser.add_argument(
        "--laws", action="store_true", help="run no unit tests where there are laws; then --again for the survivors"
    )
    parser.add_argument("--again", action="store_true", help="ask the survivors anew, because there are new tests")
    parser.add_argument("--minutes", type=float, default=0, help="begin no mutant after so many minutes")
    parser.add_argument("--report", action="store_true", help="run nothing, print the scores of what is known")
    parser.add_argument("--survivors", action="store_true", help="run nothing, print the survivors as differences")
    asked = parser.parse_args()
    home: Path = asked.home
    home.mkdir(parents=True, exist_ok=True)
    if not (asked.report or asked.survivors):
        mutants.copy(home / "tree")
    os.chdir(home / "tree")
    known = mutants.find(generate=not (asked.report or asked.survivors))
    # In no order: what was run when a run is cut off is a random sample too.
    names = random.Random(asked.seed).sample(sorted(known), min(asked.sample, len(known)) if asked.sample else len(known))
    names = [name for name in names if fnmatch(name.rpartition(".")[0], asked.modules)]
    results = Results(home / "results.json", known)
    if asked.survivors:
        _show_survivors([name for name in names if results.of(name) == SURVIVED])
        return
    if not asked.report:
        unsettled = (None, SURVIVED) if asked.again else (None,)
        Run(home, results, asked.jobs, laws_only=asked.laws).ask(
            [name for name in names if results.of(name) in unsettled], asked.minutes
        )
    _report(names, results)


class Results:
    """What became of each mutant, with the hash of the function it is a mutant of."""

    def __init__(self, path: Path, known: dict[str, str]) -> None:
        self._path = path
        self._hashes = known
        self._known: dict[str, list[str]] = json.loads(path.read_text()) if path.exists() else {}

    def of(self, name: str) -> str | None:
        """Returns what became of a mutant; none if it was not run since its function changed."""
        known = self._known.get(name)
        return None if known is None or known[1] != self._hashes[name] else known[0]

    def put(self, name: str, result: str) -> None:
        """Keeps what became of a mutant."""
        self._known[name] = [result, self._hashes[name]]
        temporary = self._path.with_suffix(".new")
        temporary.write_text(json.dumps(self._known, indent=0))
        temporary.replace(self._path)


class Run:
    """Asks mutants, several at once.

    Args:
        home: the work folder.
        results: where what became of them is kept.
        jobs: how many at once.
        laws_only: whether unit tests are left out where there are laws.
    """

    def __init__(self, home: Path, results: Results, jobs: int, *, laws_only: bool = False) -> None:
        self._laws_only = laws_only
        self._home = home
        self._results = results
        self._jobs = jobs
        self._killers: dict[str, list[str]] = defaultdict(list)
        self._running: dict[int, tuple[str, int, float]] = {}
        self._caches: list[Any] = []

    def ask(self, names: list[str], minutes: float) -> None:
        """Runs the tests on each of the mutants.

        Args:
            names: the mutants.
            minutes: after how many none is begun; 0 for no end.
        """
        mutants.stand_among_them()
        for module in sorted({name.rpartition(".")[0] for name in names}):
            importlib.import_module(module)
        self._prepare(sorted({name.split(".")[1] for name in names}))
        self._caches = mutants.caches()
        gc.freeze()
        begun, done, left = time.monotonic(), 0, list(reversed(names))
        while left or self._running:
            late = minutes and time.monotonic() - begun > minutes * 60
            if late and left:
                print(f"Stopped after {minutes:.0f} minutes with {len(left)} to go; run it again to go on.", flush=True)
                left = []
            while left and len(self._running) < self._jobs:
                self._begin(left.pop())
            settled = self._wait()
            if settled is not None:
                done += 1
                name, result = settled
                if result == NOT_RUN:
                    print(f"{name} cannot be put in force: left out.", flush=True)
                    continue
                self._results.put(name, result)
                if result == SURVIVED or done % 50 == 0:
                    rate = (time.monotonic() - begun) / done
                    print(f"{done}/{len(names)}  {rate:.2f} s each  {name}: {result}", flush=True)

    def _prepare(self, rooms: list[str]) -> None:
        """Works out once what the laws need, and makes sure that no test fails on the program as it is."""
        digest = hashlib.sha256()
        for folder in _SAYS:
            for path in sorted((self._home / "tree" / folder).rglob("*.*")):
                if path.suffix in (".py", ".yaml"):
                    digest.update(path.read_bytes())
        kept = self._home / f"kept-{digest.hexdigest()[:12]}"
        kept.mkdir(exist_ok=True)
        os.environ["SHEKARA_MUTATION_KEPT"] = str(kept)
        for module in [one for room in rooms for one in UNIT if one.split(".")[1] == room]:
            passed = kept / f"{module}passes"
            begun = time.monotonic()
            killer = _first_to_fail(module, [], laws_only=self._laws_only or passed.exists())
            if killer:
                sys.exit(f"{killer} fails without any mutant, see {self._home / 'last.log'}: mend that first.")
            if not self._laws_only:
                passed.touch()
            print(f"{module}*: all tests pass on the program as it is ({time.monotonic() - begun:.0f} s).", flush=True)

    def _begin(self, name: str) -> None:
        """Runs the tests on one mutant in a child, which tells by a pipe what noticed it."""
        told, tells = os.pipe()
        function, module = name.partition("__mutmut_")[0], name.rpartition(".")[0]
        before = [*self._killers[function], *[one for one in self._killers[module] if one not in self._killers[function]]]
        child = os.fork()
        if child == 0:
            resource.setrlimit(resource.RLIMIT_CPU, (LIMIT_S, LIMIT_S + 1))
            resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
            killer = _NOT_IN_FORCE
            try:
                mutants.put_in_force(name)
                killer = "anything"
                if _is_read_once(module):
                    for one in self._caches:
                        one.cache_clear()
                killer = _first_to_fail(f"{module}.", before, laws_only=self._laws_only)
            finally:
                os.write(tells, killer.encode())
                os._exit(0)
        os.close(tells)
        self._running[child] = name, told, time.monotonic() + 4 * LIMIT_S

    def _wait(self) -> tuple[str, str] | None:
        """Returns a mutant that is settled, and how; none after a moment in which none was."""
        child, status = os.waitpid(-1, os.WNOHANG)
        if not child:
            for pid, (_, _, deadline) in self._running.items():
                if time.monotonic() > deadline:
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.005)
            return None
        name, told, _ = self._running.pop(child)
        killer = os.read(told, 65_536).decode()
        os.close(told)
        if os.WIFSIGNALED(status):
            return name, NO_END
        if killer == _NOT_IN_FORCE:
            return name, NOT_RUN
        if not killer:
            return name, SURVIVED
        for scope, length in ((name.partition("__mutmut_")[0], 12), (name.rpartition(".")[0], 20)):
            known = self._killers[scope]
            if killer in known:
                known.remove(killer)
            known.insert(0, killer)
            del known[length:]
        return name, "killed"


def _first_to_fail(module: str, before: list[str], *, laws_only: bool) -> str:
    """Runs what has to notice a mutant of a module, up to the first that fails.

    Args:
        module: the module's name and a dot, or the beginning of several.
        before: names of what noticed others like it: they come first.
        laws_only: whether unit tests are left out where there are laws.

    Returns:
        The name of what failed, of a law's case or of a test; empty if nothing did.
    """
    log = Path(f"../../last-{os.getpid()}.log") if before else Path("../../last.log")
    try:
        with mutants.silence(log):
            laws = _laws(module)
            for name in [*[one for one in before if one in laws], *laws]:
                signal.setitimer(signal.ITIMER_PROF, CASE_S)  # its signal ends the process
                try:
                    laws[name]()
                except BaseException:  # whatever it is, the mutant was noticed
                    traceback.print_exc()
                    return name
                finally:
                    signal.setitimer(signal.ITIMER_PROF, 0)
            if laws and laws_only:
                return ""
            return _unit_test_to_fail(module, [one for one in before if one not in laws])
    finally:
        if log.name != "last.log":
            log.unlink(missing_ok=True)


def _is_read_once(module: str) -> bool:
    return module.startswith("streams.policy.") and module.split(".")[2] in READ_ONCE


def _laws(module: str) -> dict[str, Callable[[], None]]:
    if _is_read_once(module) or module.startswith("streams.detect.coverage_ledger."):
        return {}
    people, workers = _all_laws()
    first_workers = module.startswith(("streams.detect.employers", "streams.detect.labour"))
    return workers | people if first_workers else people | workers


@cache
def _all_laws() -> tuple[dict[str, Callable[[], None]], dict[str, Callable[[], None]]]:
    """Returns the cases about people, lives first because they are the fastest to tell, and those about workers."""
    from tests.mutation import laws

    return dict(sorted(laws.of_people(), key=lambda case: not case[0].startswith("life"))), dict(laws.of_workers())


class Failed:
    """Takes the name of the first test that fails."""

    def __init__(self) -> None:
        self.name = ""

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Is called by pytest after each step of a test."""
        if report.failed and not self.name:
            self.name = report.nodeid


def _unit_test_to_fail(module: str, before: list[str]) -> str:
    import pytest

    failed = Failed()
    options = ["-x", "-q", "-p", "no:cacheprovider", "-o", "timeout=0", "-p", "no:warnings", "--rootdir=.", "--tb=line"]
    files = next(files for beginning, files in UNIT.items() if module.startswith(beginning))
    code = int(pytest.main([*options, *before, *files], plugins=[failed]))
    return "" if code == 0 else failed.name or "pytest"


def _report(names: list[str], results: Results) -> None:
    by_module: dict[str, Counter[str]] = {}
    for name in names:
        result = results.of(name) or NOT_RUN
        by_module.setdefault(name.rpartition(".")[0], Counter())[result.partition(" (")[0]] += 1
    print(f"{'module':42} {'mutants':>8} {'killed':>7} {'survived':>9} {'not run':>8} {'score':>6}")
    total: Counter[str] = Counter()
    for module, counts in sorted(by_module.items()):
        total += counts
        _line(module, counts)
    for room in mutants.ROOMS:
        dotted = room.replace("/", ".")
        _line(dotted + "*", sum((each for module, each in by_module.items() if f"{module}.".startswith(dotted)), Counter()))
    _line("all", total)
    low, high = interval(total["killed"], total["killed"] + total[SURVIVED])
    print(f"95 % interval of the score of all: {100 * low:.1f} to {100 * high:.1f} %")


def interval(killed: int, run: int) -> tuple[float, float]:
    """Returns Wilson's 95 % interval of a ratio; nothing run: 0 to 1."""
    if not run:
        return 0.0, 1.0
    z, ratio = 1.96, killed / run
    middle = (ratio + z * z / (2 * run)) / (1 + z * z / run)
    half = z / (1 + z * z / run) * math.sqrt(ratio * (1 - ratio) / run + z * z / (4 * run * run))
    return middle - half, middle + half


def _line(module: str, counts: Counter[str]) -> None:
    run = counts["killed"] + counts[SURVIVED]
    score = f"{100 * counts['killed'] / run:.1f} %" if run else "-"
    total = run + counts[NOT_RUN]
    print(f"{module:42} {total:8} {counts['killed']:7} {counts[SURVIVED]:9} {counts[NOT_RUN]:8} {score:>6}")


def _show_survivors(names: list[str]) -> None:
    import mutmut.__main__ as mutmut

    for name in names:
        print(f"# {name}")
        lines = mutmut.get_diff_for_mutant(name).split("\n")
        print("\n".join(line for line in lines if line[:1] in "+-" and not line.startswith(("+++", "---"))), "\n")


if __name__ == "__main__":
    main()
