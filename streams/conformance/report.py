"""The report of a run: JSON, signed by the kit, so that a system can show it and others can check it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from streams.errors import IntegrityError, UsageError
from streams.wire.signing import Signer, Verifier

State = Literal["passed", "failed", "not_run"]

_SIGNED = b"shekara-conformance-v1\x00"


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of one scenario.

    Attributes:
        name: of the scenario.
        says: what had to hold.
        state: passed, failed or not_run.
        messages: that came of it.
        seconds: it took.
        faults: what was wrong, or why it was not run.
    """

    name: str
    says: str
    state: State
    messages: int
    seconds: float
    faults: tuple[str, ...] = ()


def signed(about: Mapping[str, Any], findings: Sequence[Finding], signer: Signer) -> dict[str, Any]:
    """Returns the report.

    Args:
        about: which system, when, against what.
        findings: of the scenarios.
        signer: the kit's key.
    """
    content = dict(about) | {
        "conforms": all(finding.state == "passed" for finding in findings),
        "scenarios": [asdict(finding) | {"faults": list(finding.faults)} for finding in findings],
        "kit_key": signer.public.hex(),
    }
    return content | {"signature": signer.sign(_SIGNED + _canonical(content)).hex()}


def verify(report: Any, public: bytes | None = None) -> bool:
    """Returns whether a report says that its system conforms.

    Args:
        report: as read from JSON.
        public: key of the kit whose word counts; none: the one the report names.

    Raises:
        UsageError: it is no report.
        IntegrityError: it was changed since it was signed, or signed by another kit.
    """
    if not isinstance(report, dict) or not {"signature", "kit_key", "conforms"} <= report.keys():
        raise UsageError("Expected a report of shekara conformance; came something else.")
    content = {name: value for name, value in report.items() if name != "signature"}
    try:
        key = public or bytes.fromhex(str(report["kit_key"]))
        signature = bytes.fromhex(str(report["signature"]))
    except ValueError:
        raise UsageError("Expected a report's key and signature in hexadecimal; came something else.") from None
    if not Verifier(key).fits(signature, _SIGNED + _canonical(content)):
        raise IntegrityError("The report was changed since it was signed, or another kit has signed it.")
    return bool(report["conforms"])


def _canonical(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()
