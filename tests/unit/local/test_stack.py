"""What clients find when something runs, and what they are told when nothing does."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from streams.errors import SetupError
from streams.local import stack
from streams.local.stack import Process, Stack
from streams.settings import Settings


def described(home: Path) -> Stack:
    return Stack(
        str(home), 1, "n", "127.0.0.1:1", "http://127.0.0.1:2", "token", {"worker": Process(3, "log", "http://127.0.0.1:4")}
    )


def test_what_was_written_is_found_while_its_owner_lives(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    with stack.owned(settings):
        stack.write(settings, described(tmp_path))
        assert stack.find_stack(settings) == described(tmp_path)


def test_a_description_left_by_a_killed_stack_is_not_believed(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    with stack.owned(settings):
        stack.write(settings, described(tmp_path))
    with pytest.raises(SetupError, match="No stack runs in") as refused:
        stack.find_stack(settings)
    assert "shekara up" in refused.value.next_step


def test_somebodys_own_kafka_is_enough_for_clients(tmp_path: Path) -> None:
    found = stack.find_stack(Settings(home=tmp_path, kafka="k1:9092,k2:9092", namespace="n"))
    assert (found.kafka, found.namespace, found.supervisor, found.sql_url) == ("k1:9092,k2:9092", "n", 0, "")


def test_only_its_owner_can_read_the_description(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    with stack.owned(settings):
        stack.write(settings, described(tmp_path))
        assert stack.stack_file(settings).stat().st_mode & 0o777 == 0o600
        assert stack.run_folder(settings).stat().st_mode & 0o777 == 0o700


def test_security_set_for_another_kafka_does_not_reach_the_embedded_one(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, kafka_security="SASL_SSL", kafka_username="u", kafka_password=SecretStr("p"))
    reached = described(tmp_path).settings(settings)
    assert (reached.kafka, reached.kafka_security, reached.kafka_username) == ("127.0.0.1:1", "PLAINTEXT", "")
    own = Stack(str(tmp_path), 0, "n", "own:9093")
    assert own.settings(settings.model_copy(update={"kafka": "own:9093"})).kafka_security == "SASL_SSL"


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match="cannot be written"), stack.owned(Settings(home=tmp_path / "file")):
        pass
