"""``python -m streams`` and the ``shekara`` command."""

from __future__ import annotations


def main() -> None:
    """Runs the command line."""
    from streams.cli import run

    run()


if __name__ == "__main__":
    main()
