"""A real PostgreSQL for tests: Debian's package, started here as a cluster of its own in a temporary directory."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.x509.oid import NameOID

from tests.contract.clickhouse import free_ports

PASSWORD = "a%b:c@d/e?f#g"
"""Every sign that means something in a URL."""


def _program(name: str) -> str | None:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    return str(found[-1]) if found else shutil.which(name)


class Cluster:
    """A cluster on loopback and on a socket; PostgreSQL refuses root, so it runs as its own user where the tests run as root.

    Args:
        home: a directory that user may enter.
    """

    def __init__(self, home: Path) -> None:
        initdb, control = _program("initdb"), _program("pg_ctl")
        if initdb is None or control is None:
            pytest.skip("no PostgreSQL on this machine (apt-get install postgresql)")
        self._control = control
        self._data = home / "data"
        self.socket = home
        (self.port,) = free_ports(1)
        user = _somebody()
        if os.geteuid() == 0:
            os.chown(home, user.pw_uid, user.pw_gid)
            self._user: dict[str, object] = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        else:
            self._user = {}
        secret = home / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        self._run(
            initdb, "-D", str(self._data), "-U", "owner", "-A", "scram-sha-256", "--pwfile", str(secret), "-E", "UTF8", "-N"
        )
        self.authority = home / "authority.pem"
        certificates(self._data, self.authority)
        for name in ("server.key", "server.crt"):
            if self._user:
                os.chown(self._data / name, user.pw_uid, user.pw_gid)
        with (self._data / "postgresql.conf").open("a") as file:
            # A test's cluster outlives no power cut.
            file.write(
                f"listen_addresses = '127.0.0.1'\nport = {self.port}\nunix_socket_directories = '{home}'\n"
                "ssl = on\nfsync = off\nshared_buffers = 16MB\nmax_connections = 60\n"
            )
        self.start()

    def _run(self, *command: str) -> None:
        done = subprocess.run(
            command,
            cwd=self.socket,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            **self._user,  # type: ignore[call-overload]
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self) -> None:
        """Starts it and waits until it answers."""
        log = self.socket / "log"
        self._run(self._control, "-D", str(self._data), "-w", "-t", "60", "-l", str(log), "start")

    def stop(self) -> None:
        """Ends it; open transactions are undone."""
        self._run(self._control, "-D", str(self._data), "-w", "-t", "60", "-m", "fast", "stop")

    def url(self, database: str = "postgres", *, user: str = "owner", password: str = PASSWORD) -> str:
        """Returns the URL of a database."""
        return f"postgresql://{user}:{quote(password, safe='')}@127.0.0.1:{self.port}/{database}"

    def run(self, statement: str, database: str = "postgres") -> None:
        """Runs a statement as the owner."""
        with psycopg.connect(
            host="127.0.0.1", port=self.port, dbname=database, user="owner", password=PASSWORD, autocommit=True
        ) as connection:
            connection.execute(statement.encode())

    def database(self) -> str:
        """Makes an empty database; returns its URL."""
        name = f"console_{secrets.token_hex(6)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE template0")
        return self.url(name)


def certificates(data: Path, authority: Path) -> None:
    """Makes an authority and, signed by it, the server's certificate for 127.0.0.1."""
    day = timedelta(days=1)
    now = datetime.now(UTC)

    def signed(
        name: str, key: EllipticCurvePrivateKey, by: x509.Name, by_key: EllipticCurvePrivateKey, *, is_authority: bool
    ) -> bytes:
        made = x509.CertificateBuilder(by, _named(name), key.public_key(), x509.random_serial_number(), now - day, now + day)
        made = made.add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        made = made.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        return made.sign(by_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    root, leaf = (generate_private_key(SECP256R1()) for _ in range(2))
    authority.write_bytes(signed("authority", root, _named("authority"), root, is_authority=True))
    authority.chmod(0o644)
    (data / "server.crt").write_bytes(signed("server", leaf, _named("authority"), root, is_authority=False))
    key = data / "server.key"
    key.touch(0o600)
    key.write_bytes(
        leaf.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _somebody() -> pwd.struct_passwd:
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    pytest.skip("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Gives a running cluster; skips where PostgreSQL is not installed."""
    import tempfile

    # Not below pytest's own directory, which nobody but us may enter; and short, for a socket's path has 107 letters at most.
    home = Path(tempfile.mkdtemp(prefix="shekara-pg-", dir="/tmp"))
    made = None
    try:
        made = Cluster(home)
        yield made
    finally:
        if made is not None:
            made.stop()
        shutil.rmtree(home, ignore_errors=True)
