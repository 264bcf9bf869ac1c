"""Logs: one line an event, for people or for machines, from us and from the libraries alike.

What may stand in a log: topics, partitions, offsets, counts, codes, durations. Never a key, a value, a pseudonym, nor the
message of an exception a rule raised (it may quote the record).
"""

from __future__ import annotations

import logging
import sys
from types import TracebackType
from typing import Any, Literal

import structlog

_NOISY = {
    # Faust logs every partition table at INFO and warns about what we do on purpose.
    "faust": logging.WARNING,
    "mode": logging.WARNING,
    "aiokafka": logging.WARNING,
    "asyncio": logging.WARNING,
    "aiohttp": logging.WARNING,
}


def _without_record(_: Any, __: str, event: Any) -> Any:
    event.pop("_record", None)
    event.pop("_from_structlog", None)
    return event


def _without_message(_: Any, __: str, event: Any) -> Any:
    """Replaces an exception by its type and the place it came from: its message may quote a record."""
    trouble = event.pop("exc_info", None)
    if trouble is True:
        trouble = sys.exc_info()
    error = trouble[1] if isinstance(trouble, tuple) else trouble
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        event["where"] = frames(error)
    return event


_FRAMES = 12


def frames(error: BaseException) -> str:
    """Returns the way an error went, innermost last, without its message: that may quote a record."""
    steps: list[str] = []
    trace: TracebackType | None = error.__traceback__
    while trace is not None:
        module = trace.tb_frame.f_globals.get("__name__", "?")
        steps.append(f"{module}.{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}")
        trace = trace.tb_next
    return " > ".join(steps[-_FRAMES:])


def formatter(style: Literal["console", "json"]) -> logging.Formatter:
    """Returns the formatter every handler of this process uses.

    Args:
        style: ``console`` for people (colours on a terminal), ``json`` for machines, one object a line.
    """
    renderer: Any = (
        structlog.processors.JSONRenderer() if style == "json" else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    tail: list[Any] = [_without_record, _without_message]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.ExtraAdder(allow=()), *_shared()], processors=[*tail, renderer]
    )


def _shared() -> list[Any]:
    return [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def logging_config(style: Literal["console", "json"], level: str) -> dict[str, Any]:
    """Returns the same as a ``logging.config`` dictionary, for Faust's own command line, which insists on setting up logging.

    Args:
        style: ``console`` or ``json``.
        level: as in :func:`open_journal`.
    """
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"ours": {"()": lambda: formatter(style)}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "ours", "stream": "ext://sys.stderr"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            name: {"level": "DEBUG" if level == "DEBUG" else logging.getLevelName(quiet)} for name, quiet in _NOISY.items()
        },
    }


def open_journal(style: Literal["console", "json"], level: str) -> None:
    """Sends every log of this process to standard error, in one form.

    Args:
        style: ``console`` or ``json``.
        level: DEBUG, INFO, WARNING or ERROR, for our own logs; libraries keep quiet below WARNING unless it is DEBUG.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter(style))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name, quiet in _NOISY.items():
        logging.getLogger(name).setLevel(logging.DEBUG if level == "DEBUG" else quiet)
    structlog.configure(
        processors=[*_shared(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
