"""``shekara identity``: who may be one person, and what a new key for pseudonyms does to everybody."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from streams.settings import Settings
    from streams.vault.candidates import SamePerson
    from streams.vault.store import Pair


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    identity = typer.Typer(help="One person, several documents.", no_args_is_help=True)
    identity.command()(candidates)
    identity.command()(relink)
    app.add_typer(identity, name="identity")


def candidates(
    *,
    reason: Annotated[str, typer.Option(help="Why you look; it stands in the audit.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Look in the vault for documents that may be one person's, and list what waits for an officer, likeliest first.

    Compared are documents with the same birth date, or the same personal number of one issuer. Shown are pseudonyms, the parts
    of the score, and the documents masked. Nothing is linked here: a supervisor decides in the console.
    """
    from dataclasses import asdict

    from streams.cli.vault import opened, who
    from streams.settings import Settings
    from streams.vault.candidates import Candidates

    with opened() as vault:
        found = Candidates(vault, lambda one, other: False)
        new = found.find()
        waiting = found.open()
        known = _known(Settings(), [one.pair for one in waiting])
        waiting = [one for one in waiting if not known(one.pair.first, one.pair.second)]
        for one in waiting:
            shown = [
                vault.reveal(subject, reason, officer=who(), about=str(one.id)) for subject in (one.pair.first, one.pair.second)
            ]
            line: dict[str, Any] = {
                "id": str(one.id),
                "subjects": [one.pair.first, one.pair.second],
                "score": one.pair.score,
                "evidence": json.loads(one.pair.evidence),
                "documents": [asdict(document) if document is not None else None for document in shown],
            }
            typer.echo(json.dumps(line, ensure_ascii=False) if as_json else _sentence(line))
    if not as_json:
        typer.echo(f"{len(waiting)} wait for an officer, {new} of them new.", err=True)


def _sentence(line: dict[str, Any]) -> str:
    parts = ", ".join(f"{name} {value}" for name, value in line["evidence"].items() if name != "score")
    documents = " / ".join(f"{one['issuing_country']} {one['number']} {one['born']}" for one in line["documents"] if one)
    return f"{line['score']:.2f}  {line['subjects'][0]}  {line['subjects'][1]}\n      {documents}\n      {parts}"


def _known(settings: Settings, pairs: list[Pair]) -> SamePerson:
    """Returns whom the warehouse holds to be one person; without an answer nobody is, and that is said."""
    from streams.cli.sql import asking
    from streams.errors import ShekaraError
    from streams.warehouse.columns import quote

    person: dict[str, str] = {}
    names = ", ".join(quote(name) for name in sorted({name for pair in pairs for name in (pair.first, pair.second)}))
    if names:
        try:
            with asking(settings) as asker:
                rows = asker.select(f"SELECT subject, person FROM core_same_person WHERE subject IN ({names})").rows  # noqa: S608
            person = {str(subject): str(root) for subject, root in rows}
        except ShekaraError as error:
            typer.echo(f"The warehouse was not asked who is linked already: {error.what}", err=True)
    return lambda one, other: person.get(one, one) == person.get(other, other)


def relink(
    *,
    old_key_file: Annotated[Path, typer.Option(help="The key for pseudonyms so far, in a file (mode 0600).")],
    old_key_version: Annotated[int, typer.Option(min=1, help="Its version.")],
    bootstrap: Annotated[str, typer.Option(help="Kafka's address, host:port,…; else SHEKARA_KAFKA or the running stack.")] = "",
) -> None:
    """After a change of the key for pseudonyms: link every person's old pseudonym with the new one.

    The settings name the new key (SHEKARA_PSEUDONYM_KEY_FILE, SHEKARA_PSEUDONYM_KEY_VERSION); publishers use it first. What is
    known of a person then counts under either. Killed in between, or when a publisher was late, run it again.
    """
    from streams.bootstrap import with_kafka
    from streams.cli.vault import opened, who
    from streams.clock import now_ms
    from streams.errors import UsageError
    from streams.publish import Publisher
    from streams.publish.pseudonym import pseudonyms
    from streams.settings import Settings
    from streams.vault.rekeying import SOURCE
    from streams.vault.rekeying import relink as link_all

    settings = Settings()
    new = pseudonyms(settings)
    earlier = {"pseudonym_key_file": old_key_file, "pseudonym_key_version": old_key_version}
    old = pseudonyms(settings.model_copy(update=earlier | {"pseudonym_key": type(settings.pseudonym_key)("")}))
    if old.version == new.version or old.key == new.key:
        raise UsageError(
            "Expected the old key and the new one to differ, and their versions too.", "The settings name the new one."
        )
    settings = with_kafka(settings.model_copy(update={"kafka": bootstrap or settings.kafka}))
    with opened() as vault, Publisher(settings, source=SOURCE) as publisher:
        vault.audit(who(), "pseudonyms_relinked", "", f"key version {old.version} to {new.version}")
        number = link_all(vault, old, new, publish=publisher.publish_many, now_ms=now_ms())
    typer.echo(f"{number} persons are linked: p{old.version}-… with p{new.version}-….")
