"""The AsyncAPI document as a page for people: Markdown, from the document alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def page(document: Mapping[str, Any]) -> str:
    """Returns a page: the topics, then every message with its fields.

    Args:
        document: as ``streams.wire.asyncapi.document`` makes it.
    """
    channels, messages = document["channels"], document["components"]["messages"]
    actions = {one["channel"]["$ref"].rpartition("/")[2]: one["action"] for one in document["operations"].values()}
    lines = [
        "# Topics and messages",
        "",
        "Written by `shekara asyncapi --page`, from the document in [asyncapi.json](asyncapi.json) (AsyncAPI "
        f"{document['asyncapi']}); do not edit. How to send them: [events](events.md).",
        "",
        document["info"]["description"],
        "",
        "| topic | others | what it carries | messages |",
        "|---|---|---|---|",
    ]
    for name, channel in channels.items():
        listed = ", ".join(f"[`{one}`](#{one})" for one in channel["messages"])
        others = "publish" if actions[name] == "receive" else "read"
        lines.append(f"| `{channel['address']}` | {others} | {channel['description']} | {listed} |")
    for name, message in messages.items():
        lines += _message(name, message, [one["address"] for one in channels.values() if name in one["messages"]])
    return "\n".join(lines) + "\n"


def _message(name: str, message: Mapping[str, Any], addresses: list[str]) -> list[str]:
    where = ", ".join(f"`{one}`" for one in addresses)
    key = message["bindings"]["kafka"]["key"]["description"]
    lines = ["", f"## {name}", "", message["summary"], "", f"On {where}. Key, {key} {message['description']}", ""]
    lines += ["| field | Avro type | meaning |", "|---|---|---|"]
    for field in message["payload"]["schema"]["fields"]:
        lines.append(f"| `{field['name']}` | {_type(field['type'])} | {_cell(field.get('doc', ''))} |")
    return lines


def _type(avro: Any) -> str:
    """Returns an Avro type in a few words; of an enum its symbols, of a logical type its name."""
    if isinstance(avro, list):
        return " or ".join(map(_type, avro))
    if isinstance(avro, str):
        return f"`{avro.rpartition('.')[2]}`"
    if "logicalType" in avro:
        return f"`{avro['type']}` ({avro['logicalType']})"
    if avro["type"] == "array":
        return f"array of {_type(avro['items'])}"
    if avro["type"] == "enum":
        return f"enum: {', '.join(f'`{one}`' for one in avro['symbols'])}"
    if avro["type"] == "fixed":
        return f"`fixed({avro['size']})`"
    return f"`{avro.get('name', avro['type'])}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
