"""The topics and their messages as an AsyncAPI 3.0 document, made from the schemas and the list of topics and nothing else."""

from __future__ import annotations

from typing import Any

from streams.records import INPUTS, OUTPUTS, RELAYED
from streams.wire.avro import CONFLUENT, KINDS, SINGLE_OBJECT, codecs
from streams.wire.topics import MAX_EVENT_BYTES, TOPICS, Topic, topic_of

_AVRO = "application/vnd.apache.avro;version=1.12.0"

_KEYS = {"person": "the person's pseudonym", "post": "the post's code", "employer": "the employer's pseudonym"}

_ABOUT = {
    "people": "Everything that is a fact about a person, in one order for each person, and the ticks (ADR 0003).",
    "posts": "What border posts say about themselves: how far their records are complete, and how many they sent.",
    "employers": "What employers declare, and how officers' work on alerts about them ended.",
    "quotas": "Quotas and their versions within a year.",
    "alerts": "Every version of every alert: raised, amended, resolved, retracted.",
    "findings": "Reminders before a breach, and faults in the data.",
    "cases": "Every version of the follow-up of each stay.",
    "dead-letters": "Messages that could not be processed: whole, and with a reason.",
    "feedback": "What sources are told of messages of theirs that were refused; nothing of their content.",
    "ledger": "What became of every offset of every input.",
}


def document(namespace: str, version: str) -> dict[str, Any]:
    """Returns the document.

    Args:
        namespace: prefix of the topics.
        version: of this program.
    """
    topics = [topic for topic in TOPICS if topic.role in ("input", "output")]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Shekara: events of migration monitoring",
            "version": version,
            "description": (
                "What border posts and registers publish and what the system decides. Values are Avro in single-object encoding "
                f"({SINGLE_OBJECT.hex(' ').upper()}, fingerprint, body) or Confluent framing ({CONFLUENT.hex()}, id, body); "
                f"keys are the event's subject. An event has at most {MAX_EVENT_BYTES} bytes. Nothing is edited: a correction "
                "withdraws an event, the same event sent again carries the same event_id."
            ),
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": _AVRO,
        "servers": {
            "kafka": {
                "host": "{host}:{port}",
                "protocol": "kafka-secure",
                "description": "Your Kafka, TLS.",
                "variables": _where(),
            }
        },
        "channels": {_channel(topic): _described(topic, namespace) for topic in topics},
        "operations": {_operation(topic): _performed(topic) for topic in topics},
        "components": {"messages": {kind.NAME: _message(kind.NAME) for kind in (*INPUTS, *RELAYED, *OUTPUTS)}},
    }


def _where() -> dict[str, Any]:
    return {"host": {"default": "localhost"}, "port": {"default": "9092"}}


def _channel(topic: Topic) -> str:
    return topic.suffix.replace("-", "_")


def _operation(topic: Topic) -> str:
    return f"{'receive' if topic.role == 'input' else 'send'}_{_channel(topic)}"


def _names(topic: Topic) -> list[str]:
    return [name for name in KINDS if topic_of(name) is topic]


def _described(topic: Topic, namespace: str) -> dict[str, Any]:
    kafka: dict[str, Any] = {"bindingVersion": "0.5.0", "topic": topic.name(namespace)}
    if not topic.partitioned:
        kafka["partitions"] = 1
    return {
        "address": topic.name(namespace),
        "description": _ABOUT[topic.suffix],
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in _names(topic)},
        "bindings": {"kafka": kafka},
    }


def _performed(topic: Topic) -> dict[str, Any]:
    """The view is the system's: it receives what others publish."""
    channel = f"#/channels/{_channel(topic)}"
    return {
        "action": "receive" if topic.role == "input" else "send",
        "channel": {"$ref": channel},
        "summary": _ABOUT[topic.suffix],
        "messages": [{"$ref": f"{channel}/messages/{name}"} for name in _names(topic)],
    }


def _message(name: str) -> dict[str, Any]:
    kind = KINDS[name]
    codec = codecs().by_kind[kind]
    subject = getattr(kind, "SUBJECT", "person") if kind in (*INPUTS, *RELAYED) else ""
    key = _KEYS.get(subject, "the event's subject") if subject else "whom or what it is about"
    found = codec.version
    return {
        "name": name,
        "title": found.document["name"],
        "summary": found.document["doc"],
        "contentType": _AVRO,
        "description": f"Schema version {found.version}, id {found.schema_id}, fingerprint {found.fingerprint.hex()}.",
        "bindings": {"kafka": {"bindingVersion": "0.5.0", "key": {"type": "string", "description": f"UTF-8: {key}."}}},
        "payload": {"schemaFormat": _AVRO, "schema": found.document},
    }
