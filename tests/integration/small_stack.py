"""A supervisor in a process of its own, for tests: the embedded broker and small services."""

from __future__ import annotations

import sys
from pathlib import Path

from streams.errors import ShekaraError
from streams.local import jars, java
from streams.local.broker import Broker
from streams.local.supervisor import Service, Stopped, running
from streams.settings import Settings

SERVICE = Path(__file__).with_name("small_service.py")


def say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def main() -> int:
    settings = Settings()
    kinds = sys.argv[1:]
    try:
        with running(settings, say) as supervisor:
            if "no-broker" not in kinds:
                found = java.find(settings.java_home)
                supervisor.start_broker(Broker(settings.home / "kafka", java=found, classpath=jars.ensure(settings.cache)))
            supervisor.start(
                Service("warehouse", [sys.executable, SERVICE]),
                *(Service(kind, [sys.executable, SERVICE, kind]) for kind in kinds if kind != "no-broker"),
                Service("worker", [sys.executable, SERVICE]),
            )
            say("ready")
            supervisor.wait()
    except Stopped as stopped:
        return stopped.exit_code
    except ShekaraError as error:
        say(f"shekara: {error}")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
