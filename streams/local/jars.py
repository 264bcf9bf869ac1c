"""Fetches the broker's jars once, verifies them every time."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from streams.errors import DependencyError, IntegrityError, SetupError
from streams.local.lock import Jar, Lock, read

_AT_ONCE = 4
_TIMEOUT_S = 30


def folder(cache: Path, lock: Lock) -> Path:
    """Returns the directory that keeps the jars of one lock."""
    return cache / f"kafka-{lock.version}"


def missing(cache: Path, lock: Lock) -> list[Jar]:
    """Returns the jars that are not in the cache yet; checks no contents."""
    home = folder(cache, lock)
    return [jar for jar in lock.jars if not (home / jar.file).exists()]


def verify(path: Path, jar: Jar, *, fetched: bool = False) -> None:
    """Checks one file against the lock.

    Args:
        path: the file.
        jar: what it must be.
        fetched: it has just come over the network and will not be kept, so there is nothing to delete.

    Raises:
        IntegrityError: names the file, what was expected and what came.
    """
    with path.open("rb") as file:
        came = hashlib.file_digest(file, "sha256").hexdigest()
    if came != jar.sha256:
        raise IntegrityError(
            f"{jar.file} is refused: expected SHA-256 {jar.sha256} ({jar.size} bytes), "
            f"got {came} ({path.stat().st_size} bytes) in {path.parent if not fetched else 'the download'}.",
            ("It was not kept: run the same command again" if fetched else "Delete that file and run the same command again")
            + f"; if it comes back, something between you and Maven Central changes {jar.coordinate}: "
            "ask your network's administrator.",
        )


def ensure(cache: Path, *, lock: Lock | None = None, console: Console | None = None) -> list[Path]:
    """Makes sure that every jar of the lock is in the cache, whole and genuine.

    What is there is kept, only what is missing is fetched; a half-fetched file never has its final name. Processes that
    share the cache wait for each other.

    Args:
        cache: the directory of verified downloads.
        lock: what to fetch; ours if not given.
        console: where progress is shown; nothing is shown without one.

    Returns:
        The class path, in the lock's order.

    Raises:
        IntegrityError: a file's checksum is not the lock's; it is named.
        DependencyError: something is missing and cannot be fetched.
        SetupError: the cache cannot be written.
    """
    lock = lock or read()
    home = folder(cache, lock)
    try:
        home.mkdir(parents=True, exist_ok=True)
        with _alone(home / ".lock"):
            wanted = missing(cache, lock)
            if wanted:
                _fetch_all(home, wanted, lock, console)
    except OSError as error:
        raise SetupError(
            f"The downloads' directory {home} cannot be written: {error.strerror or error}.",
            "Make room or give it the right owner, or set SHEKARA_CACHE to another directory.",
        ) from error
    paths = [home / jar.file for jar in lock.jars]
    for path, jar in zip(paths, lock.jars, strict=True):
        verify(path, jar)
    return paths


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Holds an advisory lock that ends with the process, whatever ends it."""
    with path.open("w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _fetch_all(home: Path, wanted: list[Jar], lock: Lock, console: Console | None) -> None:
    for leftover in home.glob(".partial-*"):  # we hold the lock, so its owner is gone
        shutil.rmtree(leftover, ignore_errors=True)
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TimeRemainingColumn(),
        console=console,
        disable=console is None,
    )
    with tempfile.TemporaryDirectory(prefix=".partial-", dir=home) as staging, progress:
        bar = progress.add_task(f"Apache Kafka {lock.version}", total=sum(jar.size for jar in wanted))

        def fetch(jar: Jar) -> None:
            _fetch(jar, Path(staging), home, lambda count: progress.advance(bar, count), lock)

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            futures = [pool.submit(fetch, jar) for jar in wanted]
            try:
                for future in futures:
                    future.result()
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise


def _fetch(jar: Jar, staging: Path, home: Path, advance: Callable[[int], None], lock: Lock) -> None:
    """Fetches one jar, verifies it and only then gives it its name."""
    from jgo.maven import MavenContext, PythonResolver
    from requests import RequestException

    @contextmanager
    def progress(_name: str, _size: int) -> Iterator[Callable[[int], None]]:
        yield advance

    context = MavenContext(
        resolver=PythonResolver(progress_callback=progress), repo_cache=staging, local_repos=[], timeout=_TIMEOUT_S
    )
    component = context.project(jar.group, jar.artifact).at_version(jar.version)
    try:
        path = component.artifact().resolve()
    except (RequestException, RuntimeError) as error:
        # jgo answers "not found" with a RuntimeError; requests' own sentences name hosts and objects, so only the kind is kept.
        have = sum((home / one.file).exists() for one in lock.jars)
        raise DependencyError(
            f"{jar.file} of Apache Kafka is not in {home} and could not be fetched from Maven Central ({_kind(error)}).",
            f"Connect to the network and run the same command again: what has come is kept ({have} of {len(lock.jars)} files). "
            "Without a network, copy that directory from another machine, or set SHEKARA_KAFKA to a Kafka you have.",
        ) from error
    verify(path, jar, fetched=True)
    path.replace(home / jar.file)


def _kind(error: Exception) -> str:
    from requests import ConnectionError as NoConnection
    from requests import Timeout

    if isinstance(error, Timeout):
        return f"no answer within {_TIMEOUT_S} s"
    if isinstance(error, NoConnection):
        return "no connection"
    return "it is not there" if isinstance(error, RuntimeError) else type(error).__name__
