"""Document data on real Kafka: they become pseudonyms before anything is sent, and nothing that leaks tells a document.

A passport is changed, an officer says that the two are one person, and the false overstay goes; a key is changed, and nobody's
dossier is broken.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient
from starlette.testclient import TestClient

from streams.clock import now_ms
from streams.console.desk import furnish
from streams.gateway.tokens import TYPES, add
from streams.policy.load import load
from streams.publish.pseudonym import Pseudonyms
from streams.records import BorderCrossing, IdentityLink, Tick
from streams.settings import Settings
from streams.vault import open_vault
from streams.wire import avro
from streams.wire.jsonform import instant_text
from tests.conftest import Kafka
from tests.integration.rig import ROOT, Log, until
from tests.integration.test_gateway import Caller
from tests.integration.test_identity import worker
from tests.unit.console.conftest import CHEAP, PASSWORD, browser, csrf_of
from tests.unit.documents.zones import passport

pytestmark = pytest.mark.integration

DAY_MS = 86_400_000
PARTITIONS = 4
KEYS = (bytes(range(32)), bytes(range(100, 132)))
OLD_NUMBER, NEW_NUMBER = "AB7391846", "FA2850417"
PERSONAL = "31005905550123"
OLD_ZONE = passport(OLD_NUMBER, names="QODIROV<<SHERZOD", personal=PERSONAL)
NEW_ZONE = passport(NEW_NUMBER, names="KADYROV<<SHERZOD", expires="360101", personal=PERSONAL)
SECRETS = [
    *(OLD_NUMBER, NEW_NUMBER, PERSONAL, "QODIROV", "KADYROV", "SHERZOD", "Қодиров", "1990-05-31", "XY9999999"),
    *(line for zone in (OLD_ZONE, NEW_ZONE) for line in zone.split("\n")),
]
"""What must lie nowhere: numbers, names, birth dates, whole lines of zones."""


@pytest.fixture
def settings(kafka: Kafka, tmp_path: Path) -> Settings:
    for name, content in (("key-1", KEYS[0]), ("key-2", KEYS[1]), ("vault.key", bytes(range(50, 82)))):
        (tmp_path / name).write_text(content.hex())
        (tmp_path / name).chmod(0o600)
    return kafka.settings(
        partitions=PARTITIONS,
        home=tmp_path / "home",
        pseudonym_key_file=tmp_path / "key-1",
        vault_key_file=tmp_path / "vault.key",
    )


def environment(settings: Settings) -> dict[str, str]:
    return os.environ | {
        "SHEKARA_KAFKA": settings.kafka,
        "SHEKARA_NAMESPACE": settings.namespace,
        "SHEKARA_HOME": str(settings.home),
        "SHEKARA_PSEUDONYM_KEY_FILE": str(settings.pseudonym_key_file),
        "SHEKARA_VAULT_KEY_FILE": str(settings.vault_key_file),
        "SHEKARA_LOG_LEVEL": "DEBUG",
        "SHEKARA_LOG_FORMAT": "json",
    }


def run(settings: Settings, *argv: str, code: int = 0, more: dict[str, str] | None = None) -> str:
    """Runs a command; returns everything it said."""
    result = subprocess.run(
        [sys.executable, "-m", "streams", *argv],
        cwd=ROOT,
        env=environment(settings) | (more or {}),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == code, result.stdout + result.stderr
    return result.stdout + result.stderr


@contextmanager
def gateway(settings: Settings, log: Path) -> Iterator[Caller]:
    """The gateway's own process; yields who may send everything."""
    _, token = add(settings.home / "gateway" / "tokens.json", "post:*", TYPES, 10_000)
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "streams", "gateway", "run", "--port", "0"],
            cwd=ROOT,
            env=environment(settings),
            stdout=file,
            stderr=file,
        )
    try:

        def url() -> str:
            assert process.poll() is None, log.read_text()
            found = re.search(r"gateway (http://\S+)/v1/events", log.read_text())
            return found[1] if found else ""

        yield Caller(until(url, "the gateway answers"), token)
    finally:
        process.terminate()
        process.wait(30)


def crossing(seq: int, at_ms: int, direction: str, **document: Any) -> dict[str, Any]:
    return {
        "type": "border_crossing", "event_id": f"00000000-0000-4000-8000-{seq:012d}", "occurred_at": instant_text(at_ms),
        "recorded_at": instant_text(at_ms), "source": "post:KZ-75-A1", "source_seq": seq, "direction": direction,
        "post": "KZ-75-A1", "citizenship": "UZB", "purpose": "private", "document": "passport", "transport": "air", **document,
    }  # fmt: skip


def tick(log: Log, number: int, at_ms: int) -> None:
    for partition in range(PARTITIONS):
        record = Tick(number.to_bytes(16, "big"), "clock", at_ms, at_ms, "clock", number, at_ms, ())
        log.put(avro.encode(record), b"clock", partition)
    log.flush()


def told(log: Log, subject: str) -> list[tuple[str, str]]:
    return [(one.state, one.reason) for one in log.alerts() if one.rule == "overstay_visa_exempt" and one.subject == subject]


def everything_in_kafka(settings: Settings, log: Log) -> bytes:
    """Returns every byte of every topic of the namespace: keys, values, headers; what was not committed too."""
    topics = AdminClient({"bootstrap.servers": settings.kafka}).list_topics(timeout=10).topics
    found = bytearray()
    for topic in sorted(name for name in topics if name.startswith(settings.namespace + ".")):
        for message in log.read(topic, committed=False):
            found += (message.key() or b"") + b"\n" + (message.value() or b"") + b"\n"
            for name, value in message.headers() or []:
                found += name.encode() + (value or b"") + b"\n"
    return bytes(found)


def assert_tells_nothing(where: str, content: bytes) -> None:
    """Holds content against every secret, as it is, in small letters and as the hexadecimal text of its bytes."""
    assert content, where
    for secret in SECRETS:
        for form in (secret, secret.lower(), secret.encode().hex()):
            assert form.encode() not in content, f"{where} tells {secret}"


def supervisor(desk: Any) -> tuple[TestClient, str]:
    _, token = desk.accounts.invite("supervisor", "supervisor", "", now_ms())
    desk.accounts.accept(token, PASSWORD, now_ms())
    client = browser(desk)
    assert client.post("/sign-in", data={"name": "supervisor", "password": PASSWORD}).status_code == 303
    return client, csrf_of(client.get("/"))


def test_a_leaked_topic_or_log_reveals_no_document_and_an_officers_link_takes_a_false_overstay_back(
    settings: Settings, tmp_path: Path
) -> None:
    log, began = Log(settings), now_ms()
    entered, left = began - 60 * DAY_MS, began - 40 * DAY_MS
    keyed = Pseudonyms(1, KEYS[0])
    old, new = keyed.person("UZB", OLD_NUMBER), keyed.person("UZB", NEW_NUMBER)
    said: dict[str, bytes] = {}
    with worker(settings, tmp_path / "worker.log") as running, gateway(settings, tmp_path / "gateway.log") as caller:
        # Over the gateway, by the machine-readable zone; and what a careless program sends besides.
        status, answer = caller.post(crossing(1, entered, "entry", mrz=OLD_ZONE))
        assert (status, answer["accepted"]) == (202, 1), answer
        wrong = [
            crossing(11, entered, "entry", mrz=OLD_ZONE.replace(OLD_NUMBER, NEW_NUMBER)),
            crossing(12, entered, "entry", subject=OLD_NUMBER),
            crossing(13, entered, "entry", subject=f"p1-{OLD_NUMBER}", document_number=OLD_NUMBER, issuing_country="UZB"),
            crossing(14, entered, "entry", document_number=OLD_NUMBER + "?", issuing_country="UZB", surname="QODIROV"),
            crossing(15, entered, "entry", document_number=OLD_NUMBER, issuing_country="KAZ", iin=PERSONAL),
            crossing(16, entered, "entry", document_number="XY9999999", issuing_country="UZB", post="NOWHERE"),
        ]
        status, answer = caller.post(wrong)
        assert (status, answer["refused"]) == (422, len(wrong))
        assert "check digit of the document number to be" in answer["items"][0]["message"]
        said["the gateway's answers"] = json.dumps(answer).encode()
        said["the gateway's metrics"] = caller.ask("GET", "/metrics")[2].encode()
        # With the SDK, from a file, names in Cyrillic, the number with letters that only look Latin; one line is refused.
        table = tmp_path / "exits.csv"
        table.write_text(
            "occurred_at,direction,post,document_number,issuing_country,surname,given_names,born_on,sex,personal_number\n"
            f"{instant_text(left)},exit,KZ-75-A1,{NEW_NUMBER.replace('A', 'А')},UZB,Қодиров,Шерзод,1990-05-31,M,{PERSONAL}\n"
            f"{instant_text(left)},exit,KZ-75-A1,{OLD_NUMBER}!,UZB,Қодиров,Шерзод,31.05.1990,M,{PERSONAL}\n"
        )
        said["the publisher's words"] = run(settings, "publish", str(table), code=2).encode()
        assert b"1 of 2 rows" in said["the publisher's words"]
        tick(log, 2, began)
        until(lambda: told(log, old) == [("raised", "raised")], "the exit is missed under the old passport")
        assert {one.subject for one in log.alerts()} <= {old, new}
        said["the worker's metrics"] = urllib.request.urlopen(f"{running.url()}/metrics", timeout=5).read()  # noqa: S310
        # The machine proposes; a supervisor looks, with a reason, and decides.
        settings.home.mkdir(exist_ok=True)
        desk = furnish(settings, load("kz"), demo=True, hasher=CHEAP)
        desk.demo = False
        try:
            desk.connect()
            client, csrf = supervisor(desk)
            until(lambda: desk.states.caught_up, "the states are read")
            page = client.get("/identity").text
            [pair] = re.findall(r'href="/identity/([0-9a-f-]{36})"', page)
            reason = {"csrf": csrf, "reason": "the photographs agree"}
            shown = client.post(f"/identity/{pair}", data=reason).text
            assert "AB•••46" in shown
            assert "FA•••17" in shown
            assert client.post(f"/identity/{pair}/decision", data=reason | {"decision": "accept"}).status_code == 303
            until(lambda: told(log, old)[-1:] == [("retracted", "identity")], "the exit was under the new passport")
            assert f'href="/identity/{pair}"' not in client.get("/identity").text
            checked = client.post("/api/check", json={"mrz": NEW_ZONE}, headers={"x-csrf-token": csrf}).json()
            assert (checked["status"], checked["document"]["known"]) == ("not_present", True)
            assert checked["document"]["differs"] == [] or checked["document"]["differs"] == ["surname"]
            said["the console's pages"] = (page + shown + json.dumps(checked)).encode()
            actions = [line.action for line in desk.audit.lines()]
            assert {"see_identity_candidates", "vault_shown", "decided_identity_linked", "vault_read", "check"} <= set(actions)
            desk.audit.verify()
        finally:
            desk.close()
    [link] = [one for one in map(avro.decode, (m.value() for m in log.read(log.people))) if isinstance(one, IdentityLink)]
    assert {link.subject, link.other_subject} == {old, new}
    assert (link.kind, link.reason) == ("linked", "officer_decision")
    assert log.dead_letters() == []
    vault = open_vault(settings, lambda *line: None)
    assert vault is not None
    kept = vault.read(old, "what the vault holds", officer="test")
    assert kept is not None
    assert (kept.number, kept.surname, kept.personal_number) == (OLD_NUMBER, "QODIROV", PERSONAL)
    assert vault.store.count() == 2, "what was refused is not kept"
    vault.close()
    said["every topic"] = everything_in_kafka(settings, log)
    assert old.encode() in said["every topic"], "the dump is of the right topics"
    said["the gateway's log"] = (tmp_path / "gateway.log").read_bytes()
    said["the worker's log"] = (tmp_path / "worker.log").read_bytes()
    for path in settings.home.rglob("*"):
        if path.is_file():
            said[str(path)] = path.read_bytes() or b" "
    for where, content in said.items():
        assert_tells_nothing(where, content)
    with pytest.raises(AssertionError, match=OLD_NUMBER):
        assert_tells_nothing("one number among everything", said["every topic"] + OLD_NUMBER.encode())


def test_a_new_key_for_pseudonyms_breaks_nobodys_dossier(settings: Settings, tmp_path: Path) -> None:
    log, began = Log(settings), now_ms()
    entered, left = began - 60 * DAY_MS, began - 40 * DAY_MS
    before, after = (Pseudonyms(version, key).person("UZB", OLD_NUMBER) for version, key in enumerate(KEYS, 1))
    header = "occurred_at,direction,post,mrz\n"
    zone = OLD_ZONE.replace("\n", "")
    newer = {"SHEKARA_PSEUDONYM_KEY_FILE": str(tmp_path / "key-2"), "SHEKARA_PSEUDONYM_KEY_VERSION": "2"}
    with worker(settings, tmp_path / "worker.log"):
        (tmp_path / "entry.csv").write_text(f"{header}{instant_text(entered)},entry,KZ-75-A1,{zone}\n")
        run(settings, "publish", str(tmp_path / "entry.csv"))
        (tmp_path / "exit.csv").write_text(f"{header}{instant_text(left)},exit,KZ-75-A1,{zone}\n")
        run(settings, "publish", str(tmp_path / "exit.csv"), more=newer)
        tick(log, 2, began)
        until(lambda: told(log, before) == [("raised", "raised")], "under two keys one person looks like two")
        relink = ["identity", "relink", "--old-key-file", str(tmp_path / "key-1"), "--old-key-version", "1"]
        assert "1 persons are linked" in run(settings, *relink, more=newer)
        until(lambda: told(log, before)[-1:] == [("retracted", "identity")], "the link joins what the two keys say")
        assert "0 persons are linked" in run(settings, *relink, more=newer)
        # The vault's own key, afterwards: everything is sealed anew, and the old key can go.
        keys = tmp_path / "vault.key"
        keys.write_text("\n".join([bytes(range(90, 122)).hex(), keys.read_text()]))
        assert "2 documents are sealed anew" in run(settings, "vault", "rotate")
        keys.write_text(keys.read_text().split()[0])
        assert json.loads(run(settings, "vault", "status", "--json")) == {"documents": 2, "under_an_older_key": 0}
        assert "audit is whole" in run(settings, "audit", "verify")
    people = [avro.decode(message.value()) for message in log.read(log.people)]
    assert {one.subject for one in people if isinstance(one, BorderCrossing)} == {before, after}
    assert log.dead_letters() == []
