"""A wrong SHEKARA_CLICKHOUSE is one sentence, and never repeats a secret."""

from __future__ import annotations

import pytest

from streams.errors import SetupError
from streams.warehouse.server import Server


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://user:hunter2@host:8123/db", "http://"),
        ("user:hunter2@host", "no scheme"),
        ("clickhouse://user:hunter2@", "no host"),
        ("clickhouse://user:hunter2@host:port/db", "valid port"),
        ("clickhouse://user:hunter2@host/db?compres=1", "unknown option 'compres'"),
        ("clickhouse://user:hunter2@host/db;drop", "letters, digits"),
    ],
)
def test_a_wrong_url_is_told_without_its_password(url: str, says: str) -> None:
    with pytest.raises(SetupError) as error:
        Server(url)
    assert says in str(error.value)
    assert "hunter2" not in str(error.value)
