"""Ports: free when chosen, the same at the next start, and never taken from another program."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.errors import SetupError
from streams.local import ports


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind((ports.LOOPBACK, 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_port_somebody_listens_on_is_not_free(taken: int) -> None:
    assert not ports.is_free(taken)


def test_ports_taken_together_are_different_and_free() -> None:
    found = ports.take(20)
    assert len(set(found)) == 20
    assert all(ports.is_free(port) for port in found)


def test_a_data_directory_keeps_its_ports(tmp_path: Path) -> None:
    first = ports.keep(tmp_path / "ports.json", ("a", "b"))
    assert ports.keep(tmp_path / "ports.json", ("a", "b")) == first
    more = ports.keep(tmp_path / "ports.json", ("a", "b", "c"))
    assert {name: more[name] for name in ("a", "b")} == first


def test_a_kept_port_that_is_in_use_is_refused_and_its_owner_named(tmp_path: Path, taken: int) -> None:
    path = tmp_path / "ports.json"
    path.write_text(f'{{"broker": {taken}}}')
    with pytest.raises(SetupError, match=rf"Port {taken} \(broker of this data directory\) is in use by .*process {os.getpid()}"):
        ports.keep(path, ("broker",))


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ports.json"
    path.write_text("[1, 2]")
    with pytest.raises(SetupError, match=r"ports\.json is damaged"):
        ports.keep(path, ("broker",))
