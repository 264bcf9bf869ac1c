from __future__ import annotations

from typing import Any

import pytest

from streams.dead_letter import Choice, Letter, grouped, numbers_of, replay
from streams.errors import UsageError
from streams.records import DeadLetter


def _letter(number: int, **changes: Any) -> Letter:
    values: dict[str, Any] = {
        "topic": "shekara.people",
        "partition": 2,
        "offset": 100 + number,
        "timestamp_at": 1_750_000_000_000,
        "key": b"p1-00",
        "value": b"\xc3\x01" + bytes([number]),
        "code": "unknown_post",
        "reason": f"reason {number}",
        "event_type": "border_crossing",
        "source": "post:KZ-75-A1",
    }
    return Letter(number, 1_750_000_000_000 + number, DeadLetter(**values | changes))


LETTERS = [
    _letter(0),
    _letter(1, code="truncated", source="", event_type=""),
    _letter(2),
    _letter(3, source="post:KZ-61-R1"),
    _letter(4, key=None),
]


class Topic:
    """Keeps what is sent to it."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes, bytes, int | None]] = []
        self.flushed = 0

    def publish_encoded(
        self, topic: str, key: bytes, value: bytes, partition: int | None = None, *, signature: bytes | None = None
    ) -> None:
        self.sent.append((topic, key, value, partition))

    def flush(self, timeout_s: float = 120.0) -> None:
        self.flushed = len(self.sent)


def test_letters_of_one_fault_are_one_group_and_the_largest_comes_first() -> None:
    groups = grouped(LETTERS)
    assert [(group.code, group.source, group.letters, group.first, group.last) for group in groups] == [
        ("unknown_post", "post:KZ-75-A1", 3, 0, 4),
        ("truncated", "", 1, 1, 1),
        ("unknown_post", "post:KZ-61-R1", 1, 3, 3),
    ]
    assert groups[0].reason == "reason 4"
    assert sum(group.letters for group in groups) == len(LETTERS)


@pytest.mark.parametrize(
    ("choice", "numbers"),
    [
        (Choice(), [0, 1, 2, 3, 4]),
        (Choice(code="truncated"), [1]),
        (Choice(source="post:KZ-61-R1"), [3]),
        (Choice(code="unknown_post", source="post:KZ-75-A1"), [0, 2, 4]),
        (Choice(event_type="visa"), []),
        (Choice(numbers=frozenset({1, 3, 9})), [1, 3]),
        (Choice(since_at=1_750_000_000_003), [3, 4]),
    ],
)
def test_a_choice_takes_what_all_its_parts_take(choice: Choice, numbers: list[int]) -> None:
    assert [letter.number for letter in LETTERS if choice.takes(letter)] == numbers


def test_a_replay_sends_the_original_bytes_under_the_original_key_and_waits() -> None:
    topic = Topic()
    done = replay(LETTERS, "shekara", topic, still_refused=lambda letter: "")
    assert topic.sent[0] == ("shekara.people", b"p1-00", LETTERS[0].content.value, None)
    assert topic.sent[4] == ("shekara.people", b"", LETTERS[4].content.value, 2)
    assert topic.flushed == 5
    assert (done.by_topic, done.numbers) == ({"shekara.people": 5}, [0, 1, 2, 3, 4])


def test_a_letter_that_would_come_back_is_left_with_its_reason() -> None:
    topic = Topic()
    done = replay(LETTERS, "shekara", topic, still_refused=lambda letter: letter.content.code.replace("unknown_post", ""))
    assert len(topic.sent) == 4
    assert done.left == {"truncated": 1}


@pytest.mark.parametrize("name", ["shekara.alerts", "other.people", "people", "__consumer_offsets"])
def test_a_letter_never_reaches_a_topic_that_is_no_input_of_ours(name: str) -> None:
    topic = Topic()
    done = replay([_letter(0, topic=name)], "shekara", topic, still_refused=lambda letter: "")
    assert not topic.sent
    assert sum(done.left.values()) == 1


def test_a_dry_run_tells_and_sends_nothing() -> None:
    done = replay(LETTERS, "shekara", None, still_refused=lambda letter: "")
    assert done.numbers == [0, 1, 2, 3, 4]


def test_letters_are_named_by_number_and_by_range() -> None:
    assert numbers_of(["17", "20-22", "3-3"]) == {17, 20, 21, 22, 3}


@pytest.mark.parametrize("text", ["", "x", "5-", "-5", "7-5", "1-x"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="Expected a letter's number"):
        numbers_of([text])
