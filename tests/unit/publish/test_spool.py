"""The spool's promises: what was taken is kept, in order, unreadable to others, whatever happens to the process or the disk."""

from __future__ import annotations

import random
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from uuid import UUID, uuid5

import pytest

from streams.errors import IntegrityError, SetupError, UsageError
from streams.publish.publisher import Receipt
from streams.publish.sealing import Keys, keys_in
from streams.publish.spool import Spool, SpoolFullError
from streams.records import BorderCrossing, Record, Tick
from streams.wire import avro
from tests.unit.decode.lawful import lawful

KEY = bytes(range(32))


def crossing(number: int, source_seq: int | None = None) -> Record:
    return lawful(
        BorderCrossing,
        event_id=uuid5(UUID(int=3), str(number)).bytes,
        subject=f"p1-{number % 5:032x}",
        source_seq=number if source_seq is None else source_seq,
    )


def opened(path: Path, **limits: int) -> Spool:
    return Spool(path / "spool.db", Keys([KEY]), **limits)


def numbers(spool: Spool, limit: int = 100_000) -> list[int]:
    return [avro.decode(event.value).source_seq for event in spool.next_events(limit)]  # type: ignore[union-attr]


def receipt(offset: int) -> Receipt:
    return Receipt("shekara.people", 0, offset, 1_750_000_000_000)


def test_what_was_put_comes_out_in_order_with_its_own_bytes_also_after_closing(tmp_path: Path) -> None:
    records = [crossing(number) for number in range(1, 101)]
    with opened(tmp_path) as spool:
        spool.put_many(records[:60])
        for record in records[60:]:
            spool.put(record)
    with opened(tmp_path) as spool:
        assert [event.value for event in spool.next_events(1000)] == [avro.encode(record) for record in records]
        assert spool.next_events(3) == spool.next_events(1000)[:3]
        assert spool.state().waiting == 100


def test_what_is_settled_is_gone_and_has_its_receipt(tmp_path: Path) -> None:
    with opened(tmp_path) as spool:
        spool.put_many(crossing(number) for number in range(1, 11))
        events = spool.next_events(4)
        spool.settle([(event, receipt(offset)) for offset, event in enumerate(events)])
        assert numbers(spool) == list(range(5, 11))
        assert spool.receipt(events[2].event_id) == receipt(2)
        assert spool.receipt(crossing(7).event_id) is None
        state = spool.state()
        assert (state.waiting, state.delivered) == (6, 4)
        spool.settle([(event, receipt(9)) for event in spool.next_events(100)])
        assert (spool.state().waiting, spool.state().waiting_bytes, spool.state().oldest_at) == (0, 0, None)


def test_an_event_put_again_is_not_taken_twice_waiting_or_delivered(tmp_path: Path) -> None:
    with opened(tmp_path) as spool:
        first = spool.put(crossing(1))
        again = spool.put(crossing(1))
        assert (first.new, again.new, again.waiting) == (True, False, True)
        spool.settle([(event, receipt(41)) for event in spool.next_events(10)])
        third = spool.put(crossing(1))
        assert (third.new, third.waiting, third.receipt) == (False, False, receipt(41))
        assert spool.state().waiting == 0


def test_numbers_of_a_source_go_on_without_gaps_over_restarts_and_refusals(tmp_path: Path) -> None:
    with opened(tmp_path) as spool:
        assert [spool.put(crossing(number, 0)).source_seq for number in range(1, 4)] == [1, 2, 3]
        with pytest.raises(UsageError):
            spool.put_many([crossing(4, 0), lawful(Tick)])
        spool.settle([(event, receipt(0)) for event in spool.next_events(10)])
    with opened(tmp_path) as spool:
        assert spool.put(crossing(4, 0)).source_seq == 4
        assert spool.put(crossing(5, 10)).source_seq == 10  # a source that numbers itself
        assert spool.put(crossing(6, 0)).source_seq == 11
        assert spool.last_number("nobody") == 0


def test_several_events_are_taken_all_or_none(tmp_path: Path) -> None:
    with opened(tmp_path) as spool:
        before = spool.state()
        with pytest.raises((TypeError, ValueError)):
            spool.put_many([crossing(1), lawful(BorderCrossing, direction="sideways")])
        assert spool.state() == before
        assert spool.put(crossing(1)).new


def test_a_full_spool_refuses_what_is_new_and_keeps_what_it_has(tmp_path: Path) -> None:
    with opened(tmp_path, max_bytes=2000) as spool:
        taken = 8
        spool.put_many(crossing(number) for number in range(1, taken + 1))
        with pytest.raises(SpoolFullError, match=r"is full: it holds at most 2000 bytes.*Nothing was dropped"):
            spool.put_many(crossing(number) for number in range(taken + 1, 50))
        assert numbers(spool) == list(range(1, taken + 1))
        spool.settle([(event, receipt(0)) for event in spool.next_events(1)])
        assert spool.put(crossing(taken + 1)).new


def test_only_the_latest_receipts_are_kept(tmp_path: Path) -> None:
    with opened(tmp_path, receipts_kept=5) as spool:
        spool.put_many(crossing(number) for number in range(1, 21))
        spool.settle([(event, receipt(0)) for event in spool.next_events(100)])
        assert spool.state().delivered == 5
        assert spool.receipt(crossing(20).event_id) is not None
        assert spool.receipt(crossing(15).event_id) is None


def test_nothing_about_a_person_can_be_read_on_the_disk(tmp_path: Path) -> None:
    with opened(tmp_path) as spool:
        spool.put_many(crossing(number) for number in range(1, 50))
        everything = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    everything += b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"SQLite format 3" in everything
    record = crossing(3)
    assert isinstance(record, BorderCrossing)
    for secret in (
        record.subject.encode(),
        record.citizenship.encode(),
        record.post.encode() + b"\x06",
        avro.encode(record)[10:],
    ):
        assert secret not in everything.replace(b"post:" + record.post.encode(), b"")


def _tamper(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path / "spool.db")) as database, database:
        database.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE waiting SET sealed = substr(sealed, 1, 40) || x'00' || substr(sealed, 42) WHERE n = 2",
        "UPDATE waiting SET sealed = substr(sealed, 1, 20) WHERE n = 2",
        "UPDATE waiting SET sealed = x'' WHERE n = 2",
        "UPDATE waiting SET sealed = (SELECT sealed FROM waiting WHERE n = 3) WHERE n = 2",
    ],
)
def test_an_event_changed_on_disk_is_set_aside_and_counted_never_sent(tmp_path: Path, statement: str) -> None:
    with opened(tmp_path) as spool:
        spool.put_many(crossing(number) for number in range(1, 5))
    _tamper(tmp_path, statement)
    with opened(tmp_path) as spool:
        assert numbers(spool) == [1, 3, 4]
        assert (spool.state().waiting, spool.state().damaged) == (3, 1)
        assert numbers(spool) == [1, 3, 4]
    with opened(tmp_path) as spool:
        assert (spool.state().waiting, spool.state().damaged) == (3, 1)


def test_another_key_is_refused_at_once_and_a_past_key_still_opens(tmp_path: Path) -> None:
    with opened(tmp_path) as spool:
        spool.put(crossing(1))
    with pytest.raises(SetupError, match="sealed under another key"):
        Spool(tmp_path / "spool.db", Keys([bytes(32)]))
    with Spool(tmp_path / "spool.db", Keys([bytes(32), KEY])) as spool:
        spool.put(crossing(2))
        assert numbers(spool) == [1, 2]


def test_a_key_file_is_made_once_for_its_owner_only_and_checked(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    with pytest.raises(SetupError, match="is not there"):
        keys_in(path)
    keys_in(path, create=True)
    made = path.read_text()
    keys_in(path, create=True)
    assert path.read_text() == made
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    with pytest.raises(SetupError, match="can be read by others"):
        keys_in(path)
    path.chmod(0o600)
    for content in ("", "abc", "00" * 31, "zz" * 32):
        path.write_text(content)
        with pytest.raises(SetupError, match=r"no key|cannot be read"):
            keys_in(path)


def test_a_second_process_is_told_to_use_its_own_spool(tmp_path: Path) -> None:
    code = f"import sys; sys.path.insert(0, {str(Path.cwd())!r})\n" + _OPEN.format(path=str(tmp_path / "spool.db"))
    with opened(tmp_path) as spool:
        spool.put(crossing(1))
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert "Another process has the spool" in result.stderr


_OPEN = """
from pathlib import Path
from streams.publish.sealing import Keys
from streams.publish.spool import Spool
Spool(Path({path!r}), Keys([bytes(range(32))]))
"""

_PUT = """
import sys
from tests.unit.publish.test_spool import crossing, opened
from pathlib import Path
with opened(Path(sys.argv[1])) as spool:
    number = spool.last_number(crossing(1).source)
    while True:
        number += 1
        spool.put(crossing(number, 0))
        print(number, flush=True)
"""


def test_whatever_was_said_to_be_taken_is_there_after_kill_9(tmp_path: Path) -> None:
    chance = random.Random(8)
    last = 0
    for _ in range(4):
        process = subprocess.Popen([sys.executable, "-c", _PUT, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        for _ in range(chance.randrange(1, 60)):
            last = int(process.stdout.readline())
        process.kill()
        last = max([last, *(int(line) for line in process.stdout.read().split("\n")[:-1])])
        process.wait()
        process.stdout.close()
    with opened(tmp_path) as spool:
        found = numbers(spool)
    # The last one may have been on disk without its number having been said.
    assert found in (list(range(1, last + 1)), list(range(1, last + 2)))


def test_a_journal_cut_anywhere_leaves_a_beginning_of_what_was_put(tmp_path: Path) -> None:
    """A power cut with a disk that lied about its cache: the tail of the journal is missing."""
    with opened(tmp_path) as spool:
        for number in range(1, 41):
            spool.put(crossing(number))
        whole = (tmp_path / "spool.db-wal").read_bytes()
        left = set()
        chance = random.Random(4)
        for cut in (0, 31, *sorted(chance.randrange(len(whole)) for _ in range(12)), len(whole)):
            copy = tmp_path / f"cut-{cut}"
            copy.mkdir()
            shutil.copy(tmp_path / "spool.db", copy / "spool.db")
            (copy / "spool.db-wal").write_bytes(whole[:cut])
            with opened(copy) as survivor:
                found = numbers(survivor)
                assert found == list(range(1, len(found) + 1))
                assert survivor.put(crossing(len(found) + 1, 0)).source_seq == len(found) + 1
            left.add(len(found))
    assert max(left) == 40
    assert len(left) > 3


def test_a_damaged_file_is_refused_loudly_and_left_as_it_is(tmp_path: Path) -> None:
    with opened(tmp_path) as spool:
        spool.put_many(crossing(number) for number in range(1, 200))
    path = tmp_path / "spool.db"
    half = path.read_bytes()[: path.stat().st_size // 2]
    path.write_bytes(half)
    with pytest.raises(IntegrityError, match="is damaged"):
        opened(tmp_path)
    assert path.read_bytes() == half


_FULL_DISK = """
import sys
from pathlib import Path
from streams.publish.spool import SpoolFullError
from tests.unit.publish.test_spool import crossing, numbers, opened, receipt
disk = Path(sys.argv[1])
taken = 0
with opened(disk) as spool:
    try:
        while taken < 100_000:
            spool.put_many(crossing(taken + n) for n in range(1, 11))
            taken += 10
    except SpoolFullError as error:
        assert "takes nothing more" in str(error), error
    assert 100 < taken < 100_000
    assert spool.state().waiting == taken
    filler = (disk / "filler").open("wb", buffering=0)
    try:
        while filler.write(bytes(512)):
            pass
    except OSError:
        pass
    assert numbers(spool) == list(range(1, taken + 1))
    # No byte is free, and yet what was delivered can be noted.
    spool.settle([(event, receipt(0)) for event in spool.next_events(100)])
    assert numbers(spool, 1) == [101]
with opened(disk) as spool:
    assert numbers(spool) == list(range(101, taken + 1))
print("held", taken)
"""


def test_a_full_disk_refuses_what_is_new_and_still_notes_what_was_delivered(tmp_path: Path) -> None:
    mount = f'mount -t tmpfs -o size=8m none {tmp_path} && exec {sys.executable} -c "$0" {tmp_path}'
    if subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody mount a small disk in a namespace of its own (unshare -rm)")
    result = subprocess.run(
        ["unshare", "-rm", "sh", "-c", mount, _FULL_DISK], capture_output=True, text=True, timeout=120, check=False
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("held")


def test_events_too_long_or_not_a_publishers_are_refused(tmp_path: Path) -> None:
    long: Record = lawful(BorderCrossing, source="x" * 70_000)
    with opened(tmp_path) as spool:
        with pytest.raises(UsageError, match="at most 65536 bytes"):
            spool.put(long)
        with pytest.raises(UsageError, match="came a tick"):
            spool.put(lawful(Tick))
        assert spool.state().waiting == 0
