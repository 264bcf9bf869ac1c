"""Faults of a policy's files, one for every sentence they are refused with: the lines of `refusals.jsonl`.

After a sentence was changed on purpose: ``python -m tests.unit.policy.refusals``, and read the difference.
"""

from __future__ import annotations

import copy
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

import streams.policy
from streams.errors import PolicyError
from streams.policy.load import load

SHIPPED = Path(streams.policy.__file__).parent / "kz"
FAULTS = Path(__file__).with_name("refusals.jsonl")
GONE = "gone"
"""What stands for a key that is left out."""


def listed() -> list[dict[str, Any]]:
    """Returns the faults: file, path of the key, what is put there, and what loading the policy says."""
    return [json.loads(line) for line in FAULTS.read_text(encoding="utf-8").splitlines()]


def sentences() -> Iterator[str]:
    """Yields what loading the policy says of each fault, in their order."""
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory) / "kz"
        folder.mkdir()
        for file in SHIPPED.glob("*.yaml"):
            (folder / file.name).write_bytes(file.read_bytes())
        contents = {file.name: yaml.safe_load(file.read_text(encoding="utf-8")) for file in SHIPPED.glob("*.yaml")}
        for fault in listed():
            name, path = fault["file"], fault["path"]
            changed = copy.deepcopy(contents[name])
            parent = changed
            for key in path[:-1]:
                parent = parent[key]
            if fault["put"] == GONE:
                del parent[path[-1]]
            else:
                parent[path[-1]] = fault["put"]
            (folder / name).write_text(yaml.safe_dump(changed, allow_unicode=True, sort_keys=False, width=10_000), "utf-8")
            try:
                yield f"accepted as {load(str(folder)).name}"
            except PolicyError as error:
                yield error.what.replace(f"{directory}/", "")
            (folder / name).write_bytes((SHIPPED / name).read_bytes())


if __name__ == "__main__":
    lines = [json.dumps(fault | {"says": says}, ensure_ascii=False) for fault, says in zip(listed(), sentences(), strict=True)]
    FAULTS.write_text("".join(f"{line}\n" for line in lines), "utf-8")
