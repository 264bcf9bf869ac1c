"""Crossings of the state border."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from streams.records.envelope import PersonEvent

Direction = Literal["entry", "exit", "refusal"]
Purpose = Literal[
    "private", "tourism", "business", "work", "study", "treatment", "family", "transit", "official", "crew", "unknown"
]
DocumentKind = Literal["passport", "national_id", "residence_permit", "refugee_document", "return_certificate", "other"]
Transport = Literal["air", "road", "rail", "sea", "foot", "unknown"]
RefusalReason = Literal["entry_ban", "no_visa", "document", "means", "security", "health", "other"]


@dataclass(frozen=True, slots=True)
class BorderCrossing(PersonEvent):
    """An entry, an exit, or a refusal to let someone enter.

    Attributes:
        direction: entry, exit, or refusal (the person did not enter).
        post: code of the border post (``streams/policy/kz/posts.yaml``).
        citizenship: ISO 3166-1 alpha-3 or an ICAO 9303 special code, of the document shown.
        purpose: purpose stated at the border.
        document: kind of document shown; never its number.
        transport: how the person came or left.
        visa_id: the visa used, if one was; the issuer's reference as 16 bytes, never the sticker's number.
        refusal_reason: only for a refusal.
    """

    NAME: ClassVar[str] = "border_crossing"

    direction: Direction
    post: str
    citizenship: str
    purpose: Purpose
    document: DocumentKind
    transport: Transport
    visa_id: bytes | None
    refusal_reason: RefusalReason | None
