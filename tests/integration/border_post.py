"""A border post in a process of its own, for tests that kill it: it records crossings into a spool, a forwarder empties it.

Usage: ``python -m tests.integration.border_post SPOOL KEYS COUNT [AT_ONCE]``; prints the number of the last crossing it finds on
disk, then of each (of the last of each AT_ONCE) once it is there, and ``drained`` when Kafka has all of the first COUNT.
"""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from pathlib import Path
from uuid import UUID, uuid5

from streams.publish.forwarding import Forwarder
from streams.publish.sealing import keys_in
from streams.publish.spool import Spool
from streams.records import BorderCrossing, Record
from streams.settings import Settings
from tests.unit.decode.lawful import OCCURRED_AT, POST, lawful

SOURCE = f"post:{POST}"
PEOPLE = 20


def crossing(number: int) -> Record:
    """Returns the post's crossing of a number, two a second; the spool numbers it itself."""
    event_id, at_ms = uuid5(UUID(int=7), str(number)).bytes, OCCURRED_AT + number * 500
    about = {"subject": f"p1-{number % PEOPLE:032x}", "source": SOURCE, "source_seq": 0}
    return lawful(BorderCrossing, event_id=event_id, occurred_at=at_ms, recorded_at=at_ms, **about)


def main() -> None:
    path, keys, count = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    at_once = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    with Spool(path, keys_in(keys, create=not path.exists())) as spool:
        with Forwarder(spool, Settings(), first_pause_s=0.1) as forwarder:
            print(spool.last_number(SOURCE), flush=True)  # noqa: T201  # what the parent counts on
            while (number := spool.last_number(SOURCE) + 1) <= count:
                last = min(number + at_once - 1, count)
                placed = spool.put_many(crossing(n) for n in range(number, last + 1))
                assert [one.source_seq for one in placed] == list(range(number, last + 1))
                print(last, flush=True)  # noqa: T201
                if at_once == 1:
                    time.sleep(0.002)
            while not forwarder.drain(60):
                pass
        print("drained", flush=True)  # noqa: T201


if __name__ == "__main__":
    with suppress(BrokenPipeError):
        main()
