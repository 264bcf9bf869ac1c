"""Builds the rooms that decide as extension modules with mypyc: one source, interpreted in development, compiled if wanted.

``python -m bench.compiled`` writes a copy of the package with the extension modules beside the sources to
``build/compiled``; ``PYTHONPATH=build/compiled shekara worker`` runs it. ``--test`` runs the tests of those rooms on it,
``--measure`` runs the same events through both and compares every output byte. Needs a C compiler and setuptools; users of
the product need neither, nor this.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streams.policy.model import Policy
    from streams.records import PersonEvent
    from streams.records.crossings import Direction

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "build" / "compiled"

PURE = (
    "policy/zones.py",
    "policy/calendar.py",
    "policy/codes.py",
    "policy/kinds.py",
    "policy/model.py",
    "detect/*.py",
    "detect/rules/*.py",
    "alerts/*.py",
    "cases/*.py",
    "person/*.py",
    "wire/partition.py",
    "wire/recall.py",
    "wire/writer.py",
    "decode/envelope.py",
    "decode/checks.py",
    "decode/rejected.py",
    "decode/decoder.py",
    "agents/door.py",
    "agents/fit.py",
    "agents/people.py",
    "agents/timetable.py",
    "runtime/deadlines.py",
)
"""What is compiled: the rooms that decide, and what is done for every event on the way to them.

The records stay as they are: mypyc takes a class variable of a dataclass for a field with a default.
"""

TESTS = (
    "tests/unit/detect",
    "tests/unit/alerts",
    "tests/unit/cases",
    "tests/unit/person",
    "tests/unit/policy",
    "tests/unit/agents",
    "tests/policy",
    "tests/property",
)

_SETUP = """\
import sys
from mypyc.build import mypycify
from setuptools import setup
options = ["--ignore-missing-imports", *sys.argv[3:]]
modules = mypycify(options, opt_level=sys.argv[2], debug_level="0")
setup(name="shekara-compiled", packages=[], ext_modules=modules, script_args=["-q", "build_ext", "--inplace"])
"""


def main() -> int:
    """Builds, and does what else is asked; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--test", action="store_true", help="run the tests of the compiled rooms on the compiled ones")
    parser.add_argument("--measure", action="store_true", help="compare speed and every output with the interpreted ones")
    parser.add_argument("--events", type=int, default=10_000, help="events to measure with, about")
    parser.add_argument("--opt-level", choices=["0", "1", "2", "3"], default="3", help="of the C compiler")
    parser.add_argument("--json", action="store_true", help="print the measurement as one JSON object")
    parser.add_argument("--run", metavar="EVENTS", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.run:
        print(json.dumps(_run(Path(given.run))))
        return 0
    trouble = _missing()
    if trouble:
        print(trouble, file=sys.stderr)
        return 3
    if fresh() != _stamp():
        build(given.opt_level)
    _copy()
    if given.test:
        return subprocess.run([sys.executable, "-m", "pytest", "-q", *TESTS], cwd=TARGET, check=False).returncode
    if given.measure:
        found = measure(given.events)
        print(json.dumps(found, indent=None if given.json else 2))
        return 0 if found["same"] else 5
    return 0


def _missing() -> str:
    compiler = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()[0]
    if shutil.which(compiler) is None:
        return f"A C compiler is missing: {compiler} is not on the PATH. On Debian or Ubuntu: apt-get install gcc python3-dev"
    try:
        import mypyc  # noqa: F401
        import setuptools  # type: ignore[import-untyped]  # noqa: F401
    except ImportError as error:
        return f"{error.name} is missing. Run: {sys.executable} -m pip install {'mypy' if error.name == 'mypyc' else error.name}"
    return ""


def _sources() -> list[Path]:
    return sorted(path for pattern in PURE for path in (ROOT / "streams").glob(pattern))


def fresh() -> str:
    """Returns what the sources and the interpreter are now, as a digest."""
    digest = hashlib.sha256(sys.version.encode())
    for path in _sources():
        digest.update(str(path.relative_to(ROOT)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _stamp() -> str:
    file = TARGET / "stamp"
    return file.read_text("utf-8") if file.exists() else ""


def _copy() -> None:
    """Brings everything that is not compiled up to date."""
    ignore = shutil.ignore_patterns("__pycache__", "*.so")
    for name in ("streams", "schemas", "tests", "docs"):
        shutil.copytree(ROOT / name, TARGET / name, ignore=ignore, dirs_exist_ok=True)


def build(opt_level: str = "3") -> None:
    """Compiles into ``build/compiled``; what was there is replaced."""
    stamp = fresh()
    shutil.rmtree(TARGET, ignore_errors=True)
    TARGET.mkdir(parents=True)
    _copy()
    sources = [str(path.relative_to(ROOT)) for path in _sources()]
    started = time.monotonic()
    print(f"Compiling {len(sources)} modules …", file=sys.stderr)
    subprocess.run([sys.executable, "-c", _SETUP, "setup", opt_level, *sources], cwd=TARGET, check=True)
    shutil.rmtree(TARGET / "build", ignore_errors=True)
    shutil.copy(ROOT / "pyproject.toml", TARGET)  # for the tests; setuptools would read more of it than we mean
    (TARGET / "stamp").write_text(stamp, "utf-8")
    print(f"Compiled into {TARGET} in {time.monotonic() - started:.0f} s.", file=sys.stderr)


def measure(events: int) -> dict[str, object]:
    """Runs the same events through the interpreted and the compiled rooms, twice each in turn.

    Args:
        events: how many, about.

    Returns:
        By build the best events per CPU-second and microseconds an event; whether every output and state was the same.
    """
    file = TARGET / "events.bin"
    _write_events(file, events)
    runs: dict[str, list[dict[str, object]]] = {"interpreted": [], "compiled": []}
    for _ in range(2):
        for name, where in (("interpreted", ROOT), ("compiled", TARGET)):
            done = subprocess.run(
                [sys.executable, "-m", "bench.compiled", "--run", str(file)],
                cwd=ROOT / "bench",
                env=os.environ | {"PYTHONPATH": f"{where}{os.pathsep}{ROOT}", "PYTHONSAFEPATH": "1"},
                capture_output=True,
                text=True,
                check=True,
            )
            runs[name].append(json.loads(done.stdout))
    best = {name: min(found, key=lambda one: float(str(one["us_per_event"]))) for name, found in runs.items()}
    digests = {str(one["digest"]) for found in runs.values() for one in found}
    ratio = float(str(best["interpreted"]["us_per_event"])) / float(str(best["compiled"]["us_per_event"]))
    return {**best, "same": len(digests) == 1, "times_faster": round(ratio, 2)}


def _write_events(file: Path, events: int) -> None:
    from streams.policy.load import load
    from streams.records import Record, Tick
    from streams.simulate import Simulation
    from streams.wire import avro
    from streams.wire.topics import PEOPLE, topic_of

    with file.open("wb") as out:
        written = 0
        for record in Simulation(max(20, events // 4), 30, 7, policy=load("kz")).events():
            if isinstance(record, Record) and topic_of(type(record)) is PEOPLE:
                key = b"tick" if isinstance(record, Tick) else record.subject.encode()
                value = avro.encode(record)
                out.write(len(key).to_bytes(2, "big") + len(value).to_bytes(3, "big") + key + value)
                written += 1
                if written >= events:
                    return


def _run(file: Path) -> dict[str, object]:
    import streams.detect.assess
    from streams import person
    from streams.agents.people import PeopleCore
    from streams.decode import Decoder
    from streams.policy.load import load
    from streams.runtime.batch import Batch, Raw
    from streams.runtime.store import MemoryStore

    received_at = 1_900_000_000_000
    data, at = file.read_bytes(), 0
    raws: list[Raw] = []
    while at < len(data):
        key_end = at + 5 + int.from_bytes(data[at : at + 2], "big")
        value_end = key_end + int.from_bytes(data[at + 2 : at + 5], "big")
        raws.append(Raw(len(raws), received_at, data[at + 5 : key_end], data[key_end:value_end]))
        at = value_end
    policy = load("kz")
    store = MemoryStore()
    core = PeopleCore(0, store, decoder=Decoder(policy.codes), person=person, policy=policy, namespace="bench")
    core.restore()
    digest, outputs, cpu_s = hashlib.sha256(), 0, 0.0
    for start in range(0, len(raws), 2000):
        part = raws[start : start + 2000]
        began = time.process_time()
        outcome = core.process(Batch("bench.people", 0, start, start + len(part), part), received_at)
        store.apply(outcome.changes)
        cpu_s += time.process_time() - began
        for output in outcome.outputs:
            digest.update(output.value)
            outputs += 1
    for key, value in sorted(store.items()):
        digest.update(key + value)
    return {
        "compiled": not str(streams.detect.assess.__file__).endswith(".py"),
        "events": len(raws),
        "outputs": outputs,
        "events_per_cpu_second": round(len(raws) / cpu_s),
        "us_per_event": round(cpu_s / len(raws) * 1e6, 1),
        **_assess_us(policy),
        "digest": digest.hexdigest()[:16],
    }


def _assess_us(policy: Policy) -> dict[str, float]:
    """Returns processor microseconds of one `assess`: a new arrival, a worker on a permit, and a traveller of forty visits."""
    from streams.detect.assess import assess
    from streams.detect.dossier import Dossier
    from streams.detect.logtime import LogTime

    found: dict[str, float] = {}
    now = 19_880 * _DAY_MS
    for name, facts in (
        ("open_stay", _visit(19_870, None)),
        ("worker", [*_visit(19_500, 19_520), *_visit(19_600, None), _permit(19_601)]),
        ("forty_visits", [fact for number in range(40) for fact in _visit(19_000 + 22 * number, 19_003 + 22 * number)]),
    ):
        dossier = Dossier("p:bench")
        for fact in facts:
            dossier = dossier.add(fact)
        calls = 20_000 // max(len(facts), 10)
        best = 1e9
        for _ in range(5):
            began = time.process_time()
            for _ in range(calls):
                assess(dossier, policy, LogTime(now, now, ()))
            best = min(best, (time.process_time() - began) / calls)
        found[f"us_per_assess_{name}"] = round(best * 1e6, 1)
    return found


_DAY_MS = 86_400_000


def _visit(first: int, last: int | None) -> list[PersonEvent]:
    from streams.records import BorderCrossing, StayRegistration

    def crossing(day: int, direction: Direction) -> PersonEvent:
        at = day * _DAY_MS + 18_000_000
        number = (2 * day + (direction == "exit")).to_bytes(16, "big")
        return BorderCrossing(
            number, "p:bench", at, at, "", 0, direction, "KZ-75-A1", "UZB", "work", "passport", "air", None, None
        )  # fmt: skip

    at = first * _DAY_MS + 36_000_000
    notice = StayRegistration(
        first.to_bytes(15, "big") + b"n", "p:bench", at, at, "", 0, "arrival", "KZ-75", None, "employer", None, first, None
    )
    return [crossing(first, "entry"), notice, *([] if last is None else [crossing(last, "exit")])]


def _permit(first: int) -> PersonEvent:
    from streams.records import WorkPermit

    at = first * _DAY_MS
    return WorkPermit(
        b"permit".ljust(16), "p:bench", at, at, "", 0, "issued", b"permit".ljust(16), "employer", "2", "e:1", "KZ-75", "F",
        first, first + 364,
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
