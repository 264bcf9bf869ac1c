"""Reads ``SHEKARA_CONSOLE_STORE``: how PostgreSQL is reached. Pure; no sentence quotes the URL, for it holds a password.

We take the URL apart ourselves and hand its parts over by name: a library that misreads a password with a sign in it would tell a
piece of it as the host's name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from streams.errors import SetupError

EXPECTED = "postgresql://user:password@host:5432/database"
LOOPBACK = ("", "localhost", "127.0.0.1", "::1")
_KNOWN = ("sslmode", "sslrootcert", "sslcert", "sslkey", "host", "passfile", "target_session_attrs", "connect_timeout")
_HOST = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)?(?::(?P<port>[0-9]{1,5}))?")
_NEXT = f"Set SHEKARA_CONSOLE_STORE to {EXPECTED}; signs in the password are written as %40 and so on."


@dataclass(frozen=True, slots=True)
class Place:
    """Where a store in PostgreSQL is.

    Attributes:
        parameters: for libpq, by name; with the password, if the URL has one.
        name: for sentences and logs: ``host:port/database``.
        password: to be kept out of every sentence; empty if libpq finds it elsewhere (PGPASSFILE).
    """

    parameters: dict[str, str] = field(repr=False)
    name: str
    password: str = field(repr=False)


def read_url(url: str) -> Place:
    """Returns where the store is.

    Towards a host that is not this machine the server's certificate is checked (``sslmode=verify-full``) unless the URL says
    otherwise; the modes that fall back to clear text in silence are refused.

    Args:
        url: ``postgresql://user:password@host:port/database?sslrootcert=…``; several hosts are separated by commas; a directory
            with a socket is given as ``?host=/run/postgresql``.

    Raises:
        SetupError: it is none; the sentence quotes nothing that may be secret.
    """
    scheme, found, _ = url.partition("://")
    if scheme not in ("postgresql", "postgres") or not found:
        came = f"{scheme}://…" if found and re.fullmatch(r"[a-z+]{1,20}", scheme) else "something else"
        raise SetupError(f"The console's store: expected {EXPECTED}, came {came}.", _NEXT)
    try:
        split = urlsplit(url)
        options = dict(parse_qsl(split.query, strict_parsing=bool(split.query)))
    except ValueError:
        raise SetupError("The console's store: the URL cannot be read.", _NEXT) from None
    unknown = sorted(set(options) - set(_KNOWN))
    if unknown:
        raise SetupError(
            f"The console's store: {len(unknown)} unknown setting(s) behind the question mark of the URL.",
            f"Known are {', '.join(_KNOWN)}.",
        )
    people, _, places = split.netloc.rpartition("@")
    user, _, password = people.partition(":")
    database = unquote(split.path.removeprefix("/"))
    hosts, ports = _hosts(places, options.pop("host", ""))
    if not database or "/" in database or split.fragment:
        raise SetupError("The console's store: the URL names no database.", _NEXT)
    parameters = {"dbname": database, "host": hosts, "port": ports, "user": unquote(user), "password": unquote(password)}
    parameters = {name: value for name, value in parameters.items() if value} | options
    _check_tls(parameters, hosts)
    return Place(parameters, f"{hosts or 'this machine'}:{ports or 5432}/{database}", unquote(password))


def _hosts(places: str, socket_folder: str) -> tuple[str, str]:
    """Returns hosts and ports as libpq takes them: two lists with commas."""
    hosts, ports = [], []
    for place in places.split(",") if places else []:
        found = _HOST.fullmatch(place)
        if found is None or (found["port"] and not 0 < int(found["port"]) < 65_536):
            raise SetupError("The console's store: the URL's host or port cannot be read.", _NEXT)
        hosts.append((found["host"] or "").strip("[]"))
        ports.append(found["port"] or "5432")
    return socket_folder or ",".join(hosts), ",".join(ports)


def _check_tls(parameters: dict[str, str], hosts: str) -> None:
    if all(host in LOOPBACK or host.startswith("/") for host in hosts.split(",")):
        return
    mode = parameters.setdefault("sslmode", "verify-full")
    if mode in ("allow", "prefer"):
        raise SetupError(
            "The console's store: sslmode allow and prefer fall back to clear text in silence.",
            "Leave sslmode out (verify-full), or say disable within a network nobody else can read.",
        )
