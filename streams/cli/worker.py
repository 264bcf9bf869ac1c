"""``shekara worker``: consumes the input topics and writes alerts, findings and cases."""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(worker)


def worker(
    *,
    bootstrap: Annotated[str, typer.Option(help="host:port,… of Kafka; default: SHEKARA_KAFKA, or the stack running here.")] = "",
    namespace: Annotated[str, typer.Option(help="Prefix of every topic; default: SHEKARA_NAMESPACE.")] = "",
    ticks: Annotated[str, typer.Option(help="wall: write tick records by this machine's clock; log: someone else does.")] = "",
    metrics_port: Annotated[
        int,
        typer.Option(
            help="Port for /metrics, /livez and /readyz; 0 takes a free one. Several processes take this one and the next.",
            min=-1,
            max=65535,
            show_default=False,
        ),
    ] = -1,
    processes: Annotated[int, typer.Option(help="Worker processes to run; one for each core.", min=1, max=256)] = 1,
    name: Annotated[
        str,
        typer.Option(
            help="Name of this worker in its group: one that is started again under its name within 20 seconds gets its "
            "partitions back and disturbs nobody. Nobody else may have the name."
        ),
    ] = "",
    log_format: Annotated[str, typer.Option(help="console (for people) or json.")] = "",
    log_level: Annotated[str, typer.Option(help="DEBUG, INFO, WARNING or ERROR.")] = "",
    failpoint: Annotated[str, typer.Option(hidden=True, help="For tests: point:n, where the process kills itself.")] = "",
) -> None:
    """Run a worker: decide every event and write alerts. As many as you like, here and elsewhere, share the partitions.

    Stops cleanly on SIGTERM or Ctrl-C. Exit codes: 0 stopped, 4 Kafka does not answer, 5 the log and the state
    contradict each other, 75 another worker has taken over (restart it).
    """
    from streams import bootstrap as parts
    from streams.runtime.journal import open_journal
    from streams.runtime.serve import probes_of, run
    from streams.settings import Settings

    changes: dict[str, object] = {
        "kafka": bootstrap,
        "namespace": namespace,
        "ticks": _one_of("--ticks", ticks, "wall", "log"),
        "log_format": _one_of("--log-format", log_format, "console", "json"),
        "log_level": _one_of("--log-level", log_level.upper(), "DEBUG", "INFO", "WARNING", "ERROR"),
    }
    if metrics_port >= 0:
        changes["metrics_port"] = metrics_port
    settings = Settings().model_copy(update={name: value for name, value in changes.items() if value != ""})
    open_journal(settings.log_format, settings.log_level)
    if processes > 1:
        from streams.local.fleet import run_fleet

        given = {"bootstrap": bootstrap, "namespace": namespace, "ticks": ticks, "log-format": log_format, "log-level": log_level}
        options = [f"--{option}={value}" for option, value in given.items() if value]
        code = run_fleet(parts.with_kafka(settings), processes, name, options)
        if code:
            raise typer.Exit(code)
        return
    app = parts.worker(parts.with_kafka(settings), failpoint=failpoint, name=name)
    probes = probes_of(app, settings.metrics_host, settings.metrics_port)
    try:
        run(app, announce=f"http://{settings.metrics_host}:{probes.port}")
    finally:
        probes.close()


def _one_of(option: str, given: str, *allowed: str) -> str:
    if given and given not in allowed:
        raise typer.BadParameter(f"{given!r} is not one of {', '.join(allowed)}.", param_hint=option)
    return given
