"""``shekara access``: the roles of your own ClickHouse server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from streams.errors import SetupError, ShekaraError

if TYPE_CHECKING:
    from streams.warehouse.access import Role
    from streams.warehouse.server import Server


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    access = typer.Typer(no_args_is_help=True, help="Roles of your own ClickHouse server: who may read and write what.")
    access.command()(show)
    access.command()(apply)
    access.command()(check)
    app.add_typer(access, name="access")


def show() -> None:
    """Print the statements that make the roles (the same as deploy/clickhouse/access.sql)."""
    from streams.warehouse.access import script

    typer.echo(script(), nl=False)


def apply(
    cluster: Annotated[str, typer.Option(help="Make them on every server of this cluster.")] = "",
) -> None:
    """Make the roles on the server of SHEKARA_CLICKHOUSE, or bring them up to date; its user must manage access.

    What a role is no longer granted is taken away. People get roles from you: CREATE USER … DEFAULT ROLE shekara_analyst.
    """
    from streams.warehouse.access import roles, statements

    server = _administrator()
    try:
        for statement in statements(cluster):
            server.command(statement)
    finally:
        server.close()
    typer.echo(f"{len(roles())} roles are as they should be. Try them: shekara access check")


def check(
    role: Annotated[str, typer.Option(help="Only this role, e.g. analyst or oblast_kz_75.")] = "",
) -> None:
    """Try on the server of SHEKARA_CLICKHOUSE what each role may and may not do; exit code 1 if anything is otherwise.

    For each role a user is made with a random password, tries its statements (none changes anything, not even where a role is
    wrong), and is dropped again.
    """
    from streams.warehouse.access import roles

    wanted = [one for one in roles() if role in ("", one.name) and one.name != "migrator"]
    if not wanted:
        raise SetupError(f"There is no role {role}.", f"Known: {', '.join(one.name for one in roles())}.")
    server = _administrator()
    wrong = 0
    try:
        for one in wanted:
            found = _tried(server, one)
            wrong += len(found)
            typer.echo(f"{one.name:<16} {'as it should be' if not found else f'{len(found)} wrong'}")
            for line in found:
                typer.echo(f"    {line}")
    finally:
        server.close()
    if wrong:
        raise typer.Exit(1)


def _administrator() -> Server:
    from streams.settings import Settings
    from streams.warehouse.server import Server

    url = Settings().clickhouse.get_secret_value()
    if not url:
        raise SetupError(
            "Roles are for a ClickHouse server; the embedded engine has no users.",
            "Set SHEKARA_CLICKHOUSE=clickhouse://admin:password@host:9000/shekara to a user that manages access.",
        )
    return Server(url, create=False)


def _tried(server: Server, role: Role) -> list[str]:
    """Returns what a role may and should not, or may not and should."""
    import secrets

    from streams.settings import Settings
    from streams.warehouse.access import PREFIX, trials
    from streams.warehouse.columns import quote
    from streams.warehouse.errors import FORBIDDEN_CODES, RefusedError
    from streams.warehouse.server import Server, as_user

    name, password = f"{PREFIX}check_{role.name}", secrets.token_urlsafe(24)
    server.command(
        f"CREATE USER OR REPLACE {name} IDENTIFIED WITH sha256_password BY {quote(password)} DEFAULT ROLE {PREFIX}{role.name}"
    )
    try:
        tester = Server(as_user(Settings().clickhouse.get_secret_value(), name, password), create=False)
        try:
            allowed, forbidden = trials(role)
            told = [(statement, _refused(tester, statement)) for statement in (*allowed, *forbidden)]
        finally:
            tester.close()
    finally:
        server.command(f"DROP USER IF EXISTS {name}")
    return [f"may not: {statement}: {why.what}" for statement, why in told[: len(allowed)] if why is not None] + [
        f"may: {statement}" if why is None else f"not known whether it may: {statement}: {why.what}"
        for statement, why in told[len(allowed) :]
        if not isinstance(why, RefusedError) or why.code not in FORBIDDEN_CODES
    ]


def _refused(tester: Server, statement: str) -> ShekaraError | None:
    """Returns why a statement did not run; none: it ran."""
    try:
        tester.command(statement)
    except ShekaraError as error:
        return error
    return None
