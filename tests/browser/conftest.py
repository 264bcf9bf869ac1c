"""A running demo and a real Chromium before it."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from streams.local.stack import Stack, find_stack
from streams.local.supervisor import is_ready
from streams.settings import Settings

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
READY_WITHIN_S = 240.0


@dataclass(frozen=True, slots=True)
class Running:
    """The running demo.

    Attributes:
        settings: with which it is reached.
        stack: where everything is.
        password: of every demo account.
    """

    settings: Settings
    stack: Stack
    password: str


@pytest.fixture(scope="package")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Starts a small demo, waits until its console is ready, stops it at the end."""
    home = tmp_path_factory.mktemp("demo") / "home"
    log = home.parent / "log"
    command = [sys.executable, "-m", "streams", "demo", "--people", "600", "--days", "40", "--seed", "7", "--live-s", "2"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--home", str(home)],
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
            env=os.environ | {"SHEKARA_PSEUDONYM_KEY": secrets.token_hex(32)},
        )
    try:
        settings = Settings(home=home)
        deadline = time.monotonic() + READY_WITHIN_S
        while True:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            try:
                stack = find_stack(settings)
                console = stack.processes.get("console")
                if console is not None and is_ready(console.url):
                    break
            except Exception:  # noqa: S110  # not there yet; the deadline is above
                pass
            time.sleep(0.25)
        password = (home / "console" / "demo-accounts").read_text(encoding="ascii").strip()
        yield Running(stack.settings(settings), stack, password)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture(scope="package")
def chromium() -> Iterator[Any]:
    """Returns a running Chromium; skips where there is none."""
    playwright = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: apt-get install chromium.")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


Open = Callable[..., Any]


@pytest.fixture
def sign_in(demo: Running, chromium: Any) -> Iterator[Open]:
    """Returns a function that opens a browser signed in with a demo account and returns its page."""
    contexts: list[Any] = []

    def signed_in(name: str, *, scripts: bool = True, language: str = "en-GB", **more: Any) -> Any:
        context = chromium.new_context(base_url=demo.stack.console_url, java_script_enabled=scripts, locale=language, **more)
        contexts.append(context)
        page = context.new_page()
        page.goto("/sign-in")
        page.fill("#name", name)
        page.fill("#password", demo.password)
        page.click("button.main")
        page.wait_for_url("**/")
        return page

    yield signed_in
    for context in contexts:
        context.close()


def poll(what: Callable[[], Any], within_s: float = 20.0, each_s: float = 0.1) -> Any:
    """Returns the first true answer.

    Raises:
        AssertionError: there was none in time.
    """
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if found := what():
            return found
        time.sleep(each_s)
    raise AssertionError(f"not within {within_s} s")


@pytest.fixture(scope="package")
def screenshots() -> Path | None:
    """Returns where the pages' pictures go, if they are wanted (SCREENSHOTS=docs/screenshots)."""
    wanted = os.environ.get("SCREENSHOTS", "")
    if not wanted:
        return None
    Path(wanted).mkdir(parents=True, exist_ok=True)
    return Path(wanted)
