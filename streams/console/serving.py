"""Serves the console on a socket until told to stop, and lets the first people in."""

from __future__ import annotations

import os
import secrets
import socket
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from streams.clock import now_ms
from streams.console.desk import Desk, folder
from streams.console.rights import ROLES, sees_one_oblast
from streams.errors import SetupError, UsageError

FIRST = "administrator"
"""The first account's name."""
DEMO_OBLAST = "KZ-23"
"""The oblast the demo's oblast operator sees."""


def listen(host: str, port: int) -> socket.socket:
    """Returns a bound socket.

    Raises:
        SetupError: the port is taken.
    """
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
    except OSError as error:
        made.close()
        raise SetupError(
            f"The console cannot listen on {host}:{port}: {error.strerror or error}.", "Choose another port with --port."
        ) from error
    return made


def server(app: Starlette, proxies: str = "") -> uvicorn.Server:
    """Returns the server; no access log: paths hold ids, and who looked at what is in the audit.

    Args:
        app: the application.
        proxies: addresses with commas, of the TLS proxies whose word counts for who asks (``X-Forwarded-For``); empty: nobody's.
            Without it everybody behind a proxy would share one count of attempts.
    """
    return uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(proxies),
            forwarded_allow_ips=proxies or None,
            timeout_graceful_shutdown=1,
        )
    )


def first_link(desk: Desk, url: str) -> str:
    """Returns a one-time link for the first administrator while nobody has a password yet; empty afterwards.

    It is also kept in a file only the stack's owner can read, for whoever started the stack to print.

    Args:
        desk: the parts.
        url: where browsers reach the console.
    """
    at = now_ms()
    file = folder(desk.settings) / "setup-link"
    # Whoever comes in by the sign-in provider has no password here: somebody must be able to without it.
    known = [one for one in desk.accounts.all() if not one.issuer]
    if not known:
        try:
            _, token = desk.accounts.invite(FIRST, "administrator", "", at)
        except UsageError:
            return first_link(desk, url)  # another console that shares the store was faster: its account is ours too
    elif not desk.store.rows("SELECT 1 FROM account WHERE password <> '' LIMIT 1"):
        token = desk.accounts.invite_again(next(one.id for one in known if one.role == "administrator"), at)
    else:
        file.unlink(missing_ok=True)
        return ""
    desk.audit.write(at, "system", "setup_link_made", "administrator")
    link = f"{url}/setup?token={token}"
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as written:
        written.write(link + "\n")
    return link


def demo_accounts(desk: Desk) -> Path:
    """Makes one account per role, with one random password kept in a file only its owner can read; once per home.

    Returns:
        The file.

    Raises:
        SetupError: this is no demo: invented people's accounts do not belong where real people are.
    """
    if not desk.demo:
        raise SetupError("Demo accounts exist only where an invented country lives.", "Start 'shekara demo'.")
    path = folder(desk.settings) / "demo-accounts"
    at = now_ms()
    if path.exists() and desk.accounts.all():
        return path
    password = secrets.token_urlsafe(12)
    names = {account.name for account in desk.accounts.all()}
    for role in ROLES:
        for number in ("", "2") if role in ("operator", "supervisor") else ("",):
            name = f"{role.replace('_', '-')}{number}"
            if name not in names:
                _, token = desk.accounts.invite(name, role, DEMO_OBLAST if sees_one_oblast(role) else "", at)
                desk.accounts.accept(token, password, at)
    desk.audit.write(at, "system", "demo_accounts_made", "")
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
        file.write(password + "\n")
    return path
