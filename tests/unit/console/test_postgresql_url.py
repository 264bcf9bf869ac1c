"""The URL of the console's store: read as written, checked towards other machines, quoted nowhere."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.console.postgresql_url import read_url
from streams.errors import SetupError

SECRET = "s3cret-words"
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)


@given(user=TEXT, password=TEXT, database=TEXT.filter(lambda text: "/" not in text))
def test_whatever_signs_they_have_the_parts_come_out_as_they_are(user: str, password: str, database: str) -> None:
    parts = [quote(one, safe="") for one in (user, password, database)]
    place = read_url(f"postgresql://{parts[0]}:{parts[1]}@localhost:6000/{parts[2]}")
    assert place.parameters == {"user": user, "password": password, "dbname": database, "host": "localhost", "port": "6000"}


def test_several_hosts_a_socket_and_a_bare_database_are_understood() -> None:
    many = read_url("postgresql://u@a.example:1,b.example,[::1]:3/d?target_session_attrs=read-write").parameters
    assert (many["host"], many["port"], many["target_session_attrs"]) == ("a.example,b.example,::1", "1,5432,3", "read-write")
    assert read_url("postgres:///d?host=/run/postgresql").parameters == {"dbname": "d", "host": "/run/postgresql"}
    assert read_url("postgresql:///d").parameters == {"dbname": "d"}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", ""])
def test_on_this_machine_no_certificate_is_asked(host: str) -> None:
    assert "sslmode" not in read_url(f"postgresql://u@{host}/d").parameters


def test_another_machine_must_show_its_certificate_unless_the_url_says_otherwise() -> None:
    assert read_url("postgresql://u@db.example/d").parameters["sslmode"] == "verify-full"
    assert read_url("postgresql://u@127.0.0.1,db.example/d").parameters["sslmode"] == "verify-full"
    assert read_url("postgresql://u@db.example/d?sslmode=disable").parameters["sslmode"] == "disable"
    for mode in ("prefer", "allow"):
        with pytest.raises(SetupError, match="fall back to clear text"):
            read_url(f"postgresql://u@db.example/d?sslmode={mode}")


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://u:{SECRET}@h/d",
        f"u:{SECRET}@h/d",
        SECRET,
        f"postgresql://u:{SECRET}@h:port/d",
        f"postgresql://u:{SECRET}@h:99999/d",
        f"postgresql://u:{SECRET}@h",
        f"postgresql://u:{SECRET}@h/d?nonsense={SECRET}",
        f"postgresql://u:{SECRET}@h/d?{SECRET}=1",
        f"postgresql://u:{SECRET}@h/d?sslmode",
        f"postgresql://u:{SECRET}#x@h/d",
        f"postgresql://u:{SECRET}/x@h/d",
        f"postgresql://u:[{SECRET}@h/d",
    ],
)
def test_a_url_that_will_not_do_is_refused_and_never_quoted(url: str) -> None:
    with pytest.raises(SetupError) as raised:
        read_url(url)
    assert SECRET not in str(raised.value)
    assert "postgresql://" in str(raised.value) or "Known are" in str(raised.value)


def test_a_place_shows_no_password() -> None:
    place = read_url(f"postgresql://u:{SECRET}@127.0.0.1/d")
    assert SECRET not in repr(place) + place.name
