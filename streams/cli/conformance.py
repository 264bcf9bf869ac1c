"""``shekara conformance``: does a border system publish as the contract says?"""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from streams.conformance.run import Config, Sandbox
    from streams.settings import Settings
    from streams.wire.signing import Signer


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(conformance)


def conformance(
    *,
    source: Annotated[Path | None, typer.Option(help="Configuration of the border system (docs/conformance.md).")] = None,
    report: Annotated[Path | None, typer.Option(help="Write the signed report to this new file; else to the terminal.")] = None,
    bootstrap: Annotated[str, typer.Option(help="Your Kafka, host:port,…; else the kit starts its own.")] = "",
    policy: Annotated[str, typer.Option(help="Policy whose codes events are checked against.")] = "",
    key: Annotated[Path | None, typer.Option(help="The kit's signing key; default: <home>/conformance.key.")] = None,
    verify: Annotated[Path | None, typer.Option(help="Run nothing: check this report's signature and say what it found.")] = None,
    public: Annotated[str, typer.Option(help="With --verify: key of the kit whose word counts, 64 hexadecimal digits.")] = "",
) -> None:
    """Let a border system act out entry, exit, correction, late, duplicate, bad event and a day without Kafka in a sandbox.

    The system's command gets the facts of each scenario as JSON lines; what it publishes is decoded and judged as the worker
    would. The report names every fault with its place, and is signed. Exit code 0: it conforms; 1: it does not, or something
    was not run.
    """
    from streams.errors import UsageError

    if verify is not None:
        _verified(verify, public)
        return
    if source is None:
        raise UsageError("Expected --source with the configuration of a border system.", "See docs/conformance.md.")
    if report is not None and report.exists():
        raise UsageError(f"{report} is there already.", "Name a new file for --report.")
    if report is not None and not report.parent.is_dir():
        raise UsageError(f"There is no directory {report.parent}.", "Name a file in a directory that exists for --report.")
    found = _run(source, bootstrap, policy, key)
    text = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
    if report is None:
        typer.echo(text, nl=False)
    else:
        report.write_text(text, "utf-8")
    for scenario in found["scenarios"]:
        typer.echo(
            f"{scenario['state']:<8} {scenario['name']:<15} {scenario['messages']:>5} messages {scenario['seconds']:>6.1f} s",
            err=True,
        )
        for fault in scenario["faults"]:
            typer.echo(f"         {fault}", err=True)
    if not found["conforms"]:
        raise typer.Exit(1)


def _verified(path: Path, public: str) -> None:
    from streams.conformance.report import verify
    from streams.errors import UsageError

    try:
        key = bytes.fromhex(public) if public else None
    except ValueError:
        raise UsageError("Expected --public as 64 hexadecimal digits; came something else.") from None
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"The report {path} cannot be read: {type(error).__name__}.") from error
    conforms = verify(content, key)
    verdict = "conforms" if conforms else "does NOT conform"
    typer.echo(f"{content.get('source')} {verdict}; {content.get('started_at')}, kit key {content['kit_key']}.")
    if not conforms:
        raise typer.Exit(1)


def _run(source: Path, bootstrap: str, policy: str, key: Path | None) -> dict[str, Any]:
    import hashlib
    import secrets
    import tempfile

    from streams import __version__
    from streams.clock import now_ms
    from streams.conformance.judge import Judge
    from streams.conformance.report import Finding, signed
    from streams.conformance.run import read_config
    from streams.conformance.scenarios import scenarios
    from streams.policy.load import load
    from streams.publish.pseudonym import Pseudonyms
    from streams.settings import Settings
    from streams.wire.jsonform import instant_text

    config = read_config(source)
    settings = Settings()
    rules = load(policy or settings.policy)
    signer = _signer(key or settings.home / "conformance.key")
    pseudonym_key, started = secrets.token_bytes(32), now_ms()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="conformance-")))
        sandbox = _sandbox(settings, bootstrap, folder, pseudonym_key, stack)
        judge = Judge(rules.codes, Pseudonyms(1, pseudonym_key), config.source, _entry(config))
        findings: list[Finding] = []
        for scenario in scenarios(config.source, config.post, config.country, started):
            typer.echo(f"… {scenario.name}", err=True)
            findings.append(sandbox.act(scenario, config, judge))
        for name, says, faults in (
            ("numbering", "The source's numbers run from 1 without gaps over everything it sent.", judge.numbering()),
            ("schema_upgrade", "What it sent stays readable when the next version of a schema adds a field.", judge.upgrade()),
        ):
            findings.append(Finding(name, says, "failed" if faults else "passed", 0, 0.0, tuple(faults)))
    about = {
        "source": config.source,
        "post": config.post,
        "kit": __version__,
        "policy": rules.version,
        "schemas": hashlib.sha256(json.dumps(_schemas()).encode()).hexdigest(),
        "configuration": hashlib.sha256(source.read_bytes()).hexdigest(),
        "started_at": instant_text(started),
        "ended_at": instant_text(now_ms()),
        "kafka": "yours" if bootstrap else "the kit's own",
    }
    return signed(about, findings, signer)


def _schemas() -> dict[str, str]:
    from streams.wire.avro import codecs

    return {codec.version.name: codec.header.hex() for codec in codecs().by_kind.values()}


def _entry(config: Config) -> Any:
    from streams.decode.sources import Source, SourceKey
    from streams.records import INPUTS
    from streams.wire.signing import Verifier

    if config.public is None:
        return None
    signing = SourceKey(config.kid, Verifier(config.public), 0, None, None)
    return Source(
        config.source, frozenset(kind.NAME for kind in INPUTS), own_post=True, signatures="strict", keys={config.kid: signing}
    )


def _sandbox(settings: Settings, bootstrap: str, folder: Path, pseudonym_key: bytes, stack: ExitStack) -> Sandbox:
    import secrets

    from streams.conformance.run import Sandbox
    from streams.local import admin, jars, java
    from streams.local.broker import Broker

    def tell(words: str) -> None:
        typer.echo(words, err=True)

    namespace = f"conformance-{secrets.token_hex(4)}"
    if bootstrap:
        settings = settings.model_copy(update={"kafka": bootstrap, "namespace": namespace})
        sandbox = Sandbox(settings, None, pseudonym_key=pseudonym_key, folder=folder, tell=tell)
        stack.callback(sandbox.close)
        return sandbox
    broker = Broker(folder / "broker", java=java.find(settings.java_home), classpath=jars.ensure(settings.cache))
    broker.start()
    stack.callback(broker.stop)
    broker.wait_ready(settings)
    settings = admin.embedded(settings, broker.bootstrap).model_copy(update={"kafka": broker.bootstrap, "namespace": namespace})
    return Sandbox(settings, broker, pseudonym_key=pseudonym_key, folder=folder, tell=tell)


def _signer(path: Path) -> Signer:
    import os
    import secrets

    from streams.errors import SetupError
    from streams.wire.signing import Signer

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
                file.write(secrets.token_hex(32) + "\n")
        return Signer("conformance", bytes.fromhex(path.read_text("ascii").strip()))
    except (OSError, ValueError) as error:
        raise SetupError(
            f"The kit's key {path} cannot be used: {type(error).__name__}.", "Remove it: a new one is made."
        ) from error
