"""Which processes make a stack, and in which order they come and go."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from rich.console import Console

from streams.local import admin, jars, java, ports, stack, topics
from streams.local.broker import Broker
from streams.local.supervisor import Service, Supervisor, ours
from streams.settings import Settings


def web_page(supervisor: Supervisor, *, demo: bool = False) -> tuple[Service, ...]:
    """Returns the service of the operations centre's page; nothing where its libraries are not installed.

    Args:
        supervisor: told where the page will be.
        demo: whether it lets people in with a demo's accounts.
    """
    if find_spec("argon2") is None or find_spec("jinja2") is None:
        return ()
    port = ports.keep(stack.run_folder(supervisor.settings) / "ports.json", ("console",))["console"]
    supervisor.console_url = f"http://{ports.LOOPBACK}:{port}"
    options = ("--demo-accounts",) if demo else ()
    return (Service("console", ours("console", "--port", str(port), *options)),)


def start_stack(supervisor: Supervisor, console: Console, *more: Service) -> Settings:
    """Starts Kafka (unless there is one), creates the topics, starts warehouse and worker, and waits until all are ready.

    Args:
        supervisor: inside its ``running`` block.
        console: where progress is shown.
        more: what else to start with them, e.g. the ``web_page``.

    Returns:
        The settings with which this stack's Kafka is reached.

    Raises:
        SetupError: something is not as it must be; one sentence says what.
        ChildFailedError: a process did not start.
    """
    settings = supervisor.settings
    if settings.kafka:
        console.print(f"Kafka: yours at {settings.kafka}")
    else:
        runtime = java.find(settings.java_home)
        classpath = jars.ensure(settings.cache, console=console)
        with console.status("Starting Apache Kafka …"):
            supervisor.start_broker(Broker(settings.home / "kafka", java=runtime, classpath=classpath))
        console.print(f"Kafka: {supervisor.kafka} (Java {runtime.major} from {runtime.origin})")
        settings = admin.embedded(settings, supervisor.kafka)
    with admin.connect(supervisor.kafka, settings) as client:
        topics.create(client, settings.namespace, partitions=settings.partitions, replication=settings.replication)
    sql_port = settings.sql_port or ports.keep(stack.run_folder(settings) / "ports.json", ("sql",))["sql"]
    supervisor.sql_url = f"http://{ports.LOOPBACK}:{sql_port}"
    with console.status("Starting the warehouse and the worker …"):
        # One machine for all: people who wait for a page go before work that only falls behind for a while (ADR 0171).
        supervisor.start(
            Service("warehouse", ours("warehouse"), env={"SHEKARA_SQL_PORT": str(sql_port)}, stop_share_s=4.0, yields=10),
            Service("worker", ours("worker"), ready_within_s=120.0, yields=5),
            *more,
        )
    supervisor.describe()
    return settings


def sign_in(now: stack.Stack) -> list[tuple[str, str]]:
    """Returns how to get into the console for the first time: files only the owner of the stack can read."""
    folder = Path(now.home) / "console"
    link, accounts = folder / "setup-link", folder / "demo-accounts"
    if accounts.exists():
        return [
            ("its demo accounts", f"operator, supervisor, auditor, …; password {accounts.read_text(encoding='ascii').strip()}")
        ]
    if link.exists():
        return [("first sign-in (once)", link.read_text(encoding="ascii").strip())]
    return []


def where(now: stack.Stack) -> list[tuple[str, str]]:
    """Returns where everything of a running stack is, for a person: names and places."""
    lines = [("Kafka", now.kafka), ("Namespace", now.namespace)]
    if now.console_url:
        lines.append(("Console", now.console_url))
        lines += sign_in(now)
    if now.sql_url:
        lines += [("SQL, read only", now.sql_url), ("its token", now.token_file)]
    lines += [(f"{name} metrics", f"{one.url}/metrics") for name, one in now.processes.items() if one.url]
    return [*lines, ("Data", now.home), ("Logs", f"{now.home}/log")]
