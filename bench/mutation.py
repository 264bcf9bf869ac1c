"""`make mutation`: changes the program in one place at a time and asks whether a test notices.

mutmut writes the mutants (every function of `streams/detect` and `streams/policy`, in a copy of the working tree); each is then
run in a child of one warm process, fast laws first, until one fails. mutmut's own runner is not used: it runs the tests it saw
calling a function once, and a policy that is loaded once for all tests is called in the first only.

Resumable: what is known of a mutant is kept in the work folder, and not asked again unless its function changed. After
changing tests: `--again` asks the survivors anew.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import hashlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS = ("streams/detect/", "streams/policy/")
ELSEWHERE = ("streams/detect/employers/", "streams/detect/labour/")
"""Rules about employers: they are judged by tests of their own."""
UNIT = {
    "detect": ["tests/unit/detect", "tests/unit/person", "tests/unit/cases", "tests/unit/alerts",
               "tests/unit/agents/test_coverage_ledger.py"],
    "policy": [
        "tests/unit/policy/test_zones.py", "tests/unit/policy/test_calendar.py", "tests/unit/policy/test_kz_values.py",
        "tests/unit/policy/test_compare.py", "tests/unit/policy/test_every_refusal.py", "tests/unit/policy/test_refusals.py",
        "tests/unit/policy/test_every_day.py",
        "tests/property/test_policy_days.py",
    ],
}  # fmt: skip
"""Tests that have to notice, room by room, the fast first; before them, without pytest, the laws of tests/mutation."""

SURVIVED, NO_END = "survived", "killed (no end)"
LIMIT_S = 40


def main() -> None:
    """Runs what was asked for."""
    parser = argparse.ArgumentParser(prog="make mutation", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--home", type=Path, default=Path.home() / ".cache" / "shekara" / "mutation", help="work folder; kept between runs"
    )
    parser.add_argument("--modules", default="*", help="glob of module names, e.g. 'streams.detect.allowance'")
    parser.add_argument("--sample", type=int, default=0, help="so many of all mutants, drawn at random; 0: all")
    parser.add_argument("--seed", type=int, default=1, help="what the sample is drawn with")
    parser.add_argument("--again", action="store_true", help="ask the survivors anew, because there are new tests")
    parser.add_argument("--seconds", type=float, default=0, help="begin no mutant after so many seconds of processor time")
    parser.add_argument("--report", action="store_true", help="run nothing, print the scores of what is known")
    parser.add_argument("--survivors", action="store_true", help="run nothing, print the survivors as differences")
    asked = parser.parse_args()
    home: Path = asked.home
    home.mkdir(parents=True, exist_ok=True)
    if not (asked.report or asked.survivors):
        _copy(home / "tree")
    os.chdir(home / "tree")
    mutants = _mutants(generate=not (asked.report or asked.survivors))
    # In no order: what was run when a run is cut off is a random sample too.
    names = random.Random(asked.seed).sample(sorted(mutants), min(asked.sample, len(mutants)) if asked.sample else len(mutants))
    names = [name for name in names if fnmatch(name.rpartition(".")[0], asked.modules)]
    results = Results(home / "results.json", mutants)
    if asked.survivors:
        _show_survivors([name for name in names if results.of(name) == SURVIVED])
        return
    if not asked.report:
        unsettled = (None, SURVIVED) if asked.again else (None,)
        _run([name for name in names if results.of(name) in unsettled], results, asked.seconds)
    _report(names, results)


class Results:
    """What became of each mutant, with the hash of the function it is a mutant of."""

    def __init__(self, path: Path, mutants: dict[str, str]) -> None:
        self._path = path
        self._mutants = mutants
        self._known: dict[str, list[str]] = json.loads(path.read_text()) if path.exists() else {}

    def of(self, name: str) -> str | None:
        """Returns what became of a mutant; none if it was not run since its function changed."""
        known = self._known.get(name)
        return None if known is None or known[1] != self._mutants[name] else known[0]

    def put(self, name: str, result: str) -> None:
        """Keeps what became of a mutant."""
        self._known[name] = [result, self._mutants[name]]
        temporary = self._path.with_suffix(".new")
        temporary.write_text(json.dumps(self._known, indent=0))
        temporary.replace(self._path)


def _copy(tree: Path) -> None:
    """Brings the work folder's copy of what git tracks up to date, with the settings mutmut reads."""
    tree.mkdir(exist_ok=True)
    listed = subprocess.run(
        [shutil.which("git") or "git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\n")
    for name in listed:
        source, target = ROOT / name, tree / name
        if name and source.is_file() and (not target.exists() or target.read_bytes() != source.read_bytes()):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    only = "\n".join(f"    {room}*" for room in ROOMS)
    others = "\n".join(f"    {room}*" for room in ELSEWHERE)
    (tree / "setup.cfg").write_text(
        f"[mutmut]\nsource_paths =\n    streams\nonly_mutate =\n{only}\ndo_not_mutate =\n{others}\n"
        "also_copy =\n    schemas\n    docs\n"
    )


def _mutants(*, generate: bool) -> dict[str, str]:
    """Returns every mutant with the hash of its function, and makes their code importable."""
    import mutmut.__main__ as mutmut
    from mutmut.mutation.data import SourceFileMutationData

    os.environ["MUTANT_UNDER_TEST"] = "mutant_generation"
    if generate:
        # mutmut copies what is not there yet, and writes mutants anew where the source is younger.
        for directory, file in mutmut.walk_all_files():
            path = Path(directory) / file
            copied = Path("mutants") / path
            if copied.exists() and (copied.stat().st_mtime < path.stat().st_mtime or path.suffix != ".py"):
                copied.unlink()
        with _silence(Path("../generate.log")):
            mutmut.copy_src_dir()
            mutmut.copy_also_copy_files()
            mutmut.create_mutants(1)
    found: dict[str, str] = {}
    for path in mutmut.walk_mutatable_files():
        data = SourceFileMutationData(path=path)
        data.load()
        for name in data.exit_code_by_key:
            function = name.partition("__mutmut_")[0].rpartition(".")[2]
            found[name] = str(data.hash_by_function_name.get(function, ""))
    return found


def _run(names: list[str], results: Results, seconds: float) -> None:
    os.environ["MUTANT_UNDER_TEST"] = ""
    home = Path.cwd().parent
    os.chdir("mutants")
    sys.path[:] = [str(Path.cwd()), *[one for one in sys.path if Path(one or ".").resolve() != ROOT]]
    for name in [one for one in sys.modules if one.partition(".")[0] in ("streams", "tests")]:
        del sys.modules[name]
    _prepare(home, sorted({name.split(".")[1] for name in names}))
    gc.freeze()
    begun = time.monotonic()
    for number, name in enumerate(names, 1):
        used = sum(os.times()[:4])
        if seconds and used > seconds:
            print(f"Stopped after {used:.0f} s of processor time and {number - 1} mutants; run it again to go on.")
            break
        result = _judge(name)
        results.put(name, result)
        if result == SURVIVED or number % 25 == 0 or number == len(names):
            rate = (time.monotonic() - begun) / number
            print(f"{number}/{len(names)}  {rate:.1f} s each  {name}: {result}", flush=True)


def _prepare(home: Path, rooms: list[str]) -> None:
    """Works out once what the laws need, and makes sure that no test fails on the program as it is."""
    digest = hashlib.sha256()
    for path in sorted((*Path("tests").rglob("*.*"), *(home / "tree" / "streams").rglob("*.*"))):
        if path.suffix in (".py", ".yaml"):
            digest.update(path.read_bytes())
    kept = home / f"kept-{digest.hexdigest()[:12]}"
    kept.mkdir(exist_ok=True)
    os.environ["SHEKARA_MUTATION_KEPT"] = str(kept)
    for room in rooms:
        passed = kept / f"{room}-passes"
        if not passed.exists():
            begun = time.monotonic()
            if _tests(room):
                sys.exit(f"The tests of {room} fail without any mutant, see {home / 'last.log'}: mend them first.")
            passed.touch()
            print(f"{room}: all tests pass on the program as it is ({time.monotonic() - begun:.0f} s).", flush=True)
        elif room == "detect":
            _laws()


def _judge(name: str) -> str:
    """Runs the tests in a child on one mutant."""
    room = name.split(".")[1]
    child = os.fork()
    if child == 0:
        os.environ["MUTANT_UNDER_TEST"] = name
        resource.setrlimit(resource.RLIMIT_CPU, (LIMIT_S, LIMIT_S + 1))
        resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
        code = 1
        try:
            code = _tests(room)
        finally:
            os._exit(code)
    deadline = time.monotonic() + 4 * LIMIT_S
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            deadline += LIMIT_S
        time.sleep(0.01)
    if os.WIFSIGNALED(status):
        return NO_END
    return SURVIVED if os.WEXITSTATUS(status) == 0 else "killed"


def _tests(room: str) -> int:
    """Runs the laws, then the tests of a room, up to the first that fails; returns 0 if none does."""
    import pytest

    with _silence(Path("../../last.log")):
        try:
            _laws()
        except BaseException:  # whatever it is, the mutant was noticed
            traceback.print_exc()
            return 1
    options = ["-x", "-q", "-p", "no:cacheprovider", "-o", "timeout=0", "-p", "no:warnings", "--rootdir=.", "--tb=line"]
    with _silence(Path("../../last.log")):
        return int(pytest.main([*options, *UNIT[room]]))


def _laws() -> None:
    from tests.mutation import laws

    for law in laws.EVERY:
        law()


@contextlib.contextmanager
def _silence(path: Path) -> Iterator[None]:
    """Sends what is written meanwhile, by children too, to a file."""
    kept = os.dup(1), os.dup(2)
    try:
        with path.open("w") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept[0], 1)
        os.dup2(kept[1], 2)


def _report(names: list[str], results: Results) -> None:
    by_module: dict[str, Counter[str]] = {}
    for name in names:
        result = results.of(name) or "not run"
        by_module.setdefault(name.rpartition(".")[0], Counter())[result.partition(" (")[0]] += 1
    print(f"{'module':42} {'mutants':>8} {'killed':>7} {'survived':>9} {'not run':>8} {'score':>6}")
    total: Counter[str] = Counter()
    for module, counts in sorted(by_module.items()):
        total += counts
        _line(module, counts)
    _line("all", total)


def _line(module: str, counts: Counter[str]) -> None:
    run = counts["killed"] + counts[SURVIVED]
    score = f"{100 * counts['killed'] / run:.0f} %" if run else "-"
    total = run + counts["not run"]
    print(f"{module:42} {total:8} {counts['killed']:7} {counts[SURVIVED]:9} {counts['not run']:8} {score:>6}")


def _show_survivors(names: list[str]) -> None:
    import mutmut.__main__ as mutmut

    for name in names:
        print(f"# {name}")
        lines = mutmut.get_diff_for_mutant(name).split("\n")
        print("\n".join(line for line in lines if line[:1] in "+-" and not line.startswith(("+++", "---"))), "\n")


if __name__ == "__main__":
    main()
