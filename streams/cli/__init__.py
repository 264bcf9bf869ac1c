"""The command line: one module per command or family of commands, each with ``register(app)``.

Modules import heavy things (Faust, chDB) inside their functions, so that ``shekara --help`` answers at once.
"""

from __future__ import annotations

import sys
from importlib import import_module

import typer
from pydantic import ValidationError

from streams import __version__
from streams.errors import SetupError, ShekaraError
from streams.settings import Settings, variable

COMMANDS: tuple[str, ...] = (
    "up",
    "demo",
    "init",
    "doctor",
    "worker",
    "policy",
    "assess",
    "self_check",
    "simulate",
    "topics",
    "publish",
    "sources",
    "conformance",
    "exchange",
    "reconcile",
    "dead_letters",
    "warehouse",
    "access",
    "sql",
    "export",
    "bulletin",
    "alerts",
    "explain",
    "what_if",
    "replay",
    "gateway",
    "edge",
    "vault",
    "identity",
    "asyncapi",
    "registry",
    "console",
)
"""Modules below ``streams.cli`` that add commands, in the order ``--help`` lists them."""


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"shekara {__version__}")
        raise typer.Exit


def build() -> typer.Typer:
    """Returns the whole command line."""
    app = typer.Typer(
        name="shekara",
        help="Continuous, explainable monitoring of lawful entry, stay and work.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def root(
        version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show the version and exit."),
    ) -> None:
        pass

    for name in COMMANDS:
        import_module(f"streams.cli.{name}").register(app)
    return app


def run() -> None:
    """Runs the command line; an expected failure is one sentence and an exit code, never a traceback."""
    try:
        build()()
    except ShekaraError as error:
        typer.secho(f"shekara: {error.what}", fg=typer.colors.RED, err=True)
        if error.next_step:
            typer.echo(f"  → {error.next_step}", err=True)
        sys.exit(error.exit_code)
    except ValidationError as error:
        if error.title != Settings.__name__:
            raise
        # Without the value that came: it may be a password in the wrong variable.
        for one in error.errors(include_input=False, include_url=False):
            typer.secho(f"shekara: {variable(str(one['loc'][0]))}: {one['msg']}.", fg=typer.colors.RED, err=True)
        typer.echo("  → Correct the environment; streams/settings.py says what each variable means.", err=True)
        sys.exit(SetupError.exit_code)
    except ModuleNotFoundError as error:
        from streams.cli.extras import extra_of

        extra = extra_of(error.name or "", sys.argv[1] if len(sys.argv) > 1 else "")
        if not extra:
            raise
        typer.secho(
            f"shekara: This command needs the package {error.name}, which is not installed.", fg=typer.colors.RED, err=True
        )
        typer.echo(f"  → Install it: pip install 'shekara[{extra}]'; everything: pip install 'shekara[all]'.", err=True)
        sys.exit(SetupError.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(0)
