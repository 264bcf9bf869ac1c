"""The lock of the broker's jars: which files, how long, with which SHA-256; it names no host.

``python -m streams.local.lock 4.3.1`` resolves a release of Apache Kafka again and prints a new lock.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from streams.errors import SetupError

LOCK = Path(__file__).with_name("kafka.lock")

_KAFKA = "org.apache.kafka:kafka_2.13"
_LOGGING_BRIDGE = "org.apache.logging.log4j:log4j-slf4j-impl"
"""Kafka logs through slf4j 1.7 and leaves the choice of a bridge to its distribution; without one it logs nothing."""


@dataclass(frozen=True, slots=True)
class Jar:
    """One file the broker needs.

    Attributes:
        group: Maven group, e.g. ``org.apache.kafka``.
        artifact: Maven artifact, e.g. ``kafka-clients``.
        version: its version.
        file: file name, unique within the lock.
        size: bytes.
        sha256: lower-case hexadecimal digest of the file.
    """

    group: str
    artifact: str
    version: str
    file: str
    size: int
    sha256: str

    @property
    def coordinate(self) -> str:
        """Returns ``group:artifact:version``."""
        return f"{self.group}:{self.artifact}:{self.version}"


@dataclass(frozen=True, slots=True)
class Lock:
    """All the jars, in class-path order.

    Attributes:
        version: the release of Apache Kafka.
        jars: what to fetch, nothing else.
    """

    version: str
    jars: tuple[Jar, ...]

    @property
    def size(self) -> int:
        """Returns the bytes of all jars together."""
        return sum(jar.size for jar in self.jars)


def listed(path: Path) -> tuple[Jar, ...]:
    """Reads the lines of a lock file, whatever they are for.

    Raises:
        SetupError: a line is not ``group:artifact:version file bytes SHA-256``.
    """
    jars = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = line.split()
        coordinate = fields[0].split(":")
        if len(fields) != 4 or len(coordinate) != 3 or not fields[2].isdigit() or len(fields[3]) != 64:
            raise SetupError(
                f"{path}, line {number}: expected 'group:artifact:version file bytes SHA-256', got {line!r}.",
                "Restore the file from version control.",
            )
        group, artifact, version = coordinate
        jars.append(Jar(group, artifact, version, fields[1], int(fields[2]), fields[3]))
    return tuple(jars)


def read(path: Path = LOCK) -> Lock:
    """Reads a lock file.

    Raises:
        SetupError: a line is not ``group:artifact:version file bytes SHA-256``, or Kafka itself is not in it.
    """
    jars = listed(path)
    for jar in jars:
        if f"{jar.group}:{jar.artifact}" == _KAFKA:
            return Lock(version=jar.version, jars=jars)
    raise SetupError(f"{path} does not list {_KAFKA}.", "Restore the file from version control.")


def resolve(version: str) -> Lock:
    """Resolves one release of Apache Kafka over the network and hashes every file.

    Args:
        version: a release such as ``4.3.1``.
    """
    from jgo.maven import MavenContext

    with tempfile.TemporaryDirectory() as directory:
        context = MavenContext(repo_cache=Path(directory), timeout=60)
        own, transitive = context.resolver.resolve([context.create_dependency(f"{_KAFKA}:{version}")])
        wanted = [one for one in own + transitive if one.type == "jar" and one.scope in (None, "compile", "runtime")]
        log4j = next(one.version for one in wanted if one.artifactId == "log4j-core")
        wanted.append(context.create_dependency(f"{_LOGGING_BRIDGE}:{log4j}"))
        jars = []
        for one in sorted(wanted, key=lambda one: (one.groupId, one.artifactId)):
            path = one.artifact.resolve()
            content = path.read_bytes()
            digest = hashlib.sha256(content).hexdigest()
            jars.append(Jar(one.groupId, one.artifactId, one.version, path.name, len(content), digest))
    return Lock(version=version, jars=tuple(jars))


def render(lock: Lock) -> str:
    """Returns the text of a lock file."""
    lines = [
        "# The jars of the embedded broker: Apache Kafka and what one KRaft node needs to run.",
        f"# Written by: python -m streams.local.lock {lock.version}    Never edit a checksum by hand.",
        "# group:artifact:version  file  bytes  SHA-256",
        *(f"{jar.coordinate} {jar.file} {jar.size} {jar.sha256}" for jar in lock.jars),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(render(resolve(sys.argv[1])))
