"""How a schema may change: BACKWARD_TRANSITIVE. Every message ever published stays readable by the schema of today.

The rules are Avro's schema resolution (specification 1.12, "Schema Resolution"), with one of our own on top: a field that is
added is nullable with default null, because a default value would be a statement about the past that nobody made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_PROMOTIONS = {
    "int": {"long", "float", "double"},
    "long": {"float", "double"},
    "float": {"double"},
    "string": {"bytes"},
    "bytes": {"string"},
}


def incompatibilities(written: Mapping[str, Any], reading: Mapping[str, Any]) -> list[str]:
    """Returns why messages of an older schema could not be read with a newer one; empty if they can.

    Args:
        written: the schema messages were written with, as read from JSON.
        reading: the schema they are to be read with.
    """
    return _Comparison(written, reading).differences()


class _Comparison:
    def __init__(self, written: Mapping[str, Any], reading: Mapping[str, Any]) -> None:
        self._roots = (written, reading)
        self._names: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
        for root, names in zip(self._roots, self._names, strict=True):
            _collect(root, names)
        self._seen: set[tuple[str, str]] = set()

    def differences(self) -> list[str]:
        return self._compare(*self._roots, "")

    def _compare(self, written: Any, reading: Any, where: str) -> list[str]:
        written, reading = self._resolved(written, 0), self._resolved(reading, 1)
        if isinstance(written, list):
            # Whichever branch was written must be readable.
            return [fault for branch in written for fault in self._compare(branch, reading, where)]
        if isinstance(reading, list):
            if any(not self._compare(written, branch, where) for branch in reading):
                return []
            return [f"{where}: {_name(written)} is no longer among {', '.join(_name(branch) for branch in reading)}"]
        old, new = _kind(written), _kind(reading)
        if old != new:
            return [] if new in _PROMOTIONS.get(old, ()) else [f"{where}: was {_name(written)}, is {_name(reading)}"]
        match old:
            case "record":
                return self._records(written, reading, where)
            case "enum":
                gone = [symbol for symbol in written["symbols"] if symbol not in reading["symbols"]]
                lost = bool(gone) and "default" not in reading
                return _renamed(written, reading, where) + (
                    [f"{where}: the symbols {', '.join(gone)} are gone and there is no default"] if lost else []
                )
            case "fixed":
                faults = _renamed(written, reading, where)
                same = written["size"] == reading["size"]
                return faults + ([] if same else [f"{where}: had {written['size']} bytes, has {reading['size']}"])
            case "array":
                return self._compare(written["items"], reading["items"], f"{where}[]")
            case "map":
                return self._compare(written["values"], reading["values"], f"{where}{{}}")
            case _:
                return []

    def _records(self, written: Any, reading: Any, where: str) -> list[str]:
        pair = (_full(written), _full(reading))
        if pair in self._seen:
            return []
        self._seen.add(pair)
        faults = _renamed(written, reading, where)
        old = {field["name"]: field for field in written["fields"]}
        for field in reading["fields"]:
            path = f"{where}.{field['name']}".lstrip(".")
            before = old.get(field["name"]) or next((old[a] for a in field.get("aliases", ()) if a in old), None)
            if before is not None:
                faults += self._compare(before["type"], field["type"], path)
            elif "default" not in field:
                faults.append(f"{path}: is new and has no default, so older messages cannot be read")
            elif not (isinstance(field["type"], list) and field["type"][0] == "null" and field["default"] is None):
                faults.append(f"{path}: is new and must be nullable with default null, not {field['default']!r}")
        return faults

    def _resolved(self, node: Any, side: int) -> Any:
        return self._names[side].get(node, node) if isinstance(node, str) else node


def _collect(node: Any, names: dict[str, Any]) -> None:
    if isinstance(node, list):
        for branch in node:
            _collect(branch, names)
    elif isinstance(node, dict):
        if node.get("type") in {"record", "enum", "fixed"}:
            names[node["name"]] = names[_full(node)] = node
        for part in ("items", "values"):
            if part in node:
                _collect(node[part], names)
        for field in node.get("fields", ()):
            _collect(field["type"], names)
        if isinstance(node.get("type"), dict | list):
            _collect(node["type"], names)


def _renamed(written: Any, reading: Any, where: str) -> list[str]:
    old, new = _name(written), _name(reading)
    return (
        [] if old == new or old in reading.get("aliases", ()) else [f"{where or 'the schema'}: was called {old}, is called {new}"]
    )


def _kind(node: Any) -> str:
    if isinstance(node, str):
        return node
    kind = node["type"]
    return kind if isinstance(kind, str) else _kind(kind)


def _name(node: Any) -> str:
    if isinstance(node, str):
        return node.rpartition(".")[2]
    return str(node.get("name") or _kind(node)).rpartition(".")[2]


def _full(node: Any) -> str:
    namespace = node.get("namespace")
    return f"{namespace}.{node['name']}" if namespace else str(node["name"])
