"""What a message that is refused becomes, and the register of codes it may be judged by."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Rejected:
    """Why a message goes to the dead letters.

    Attributes:
        code: stable and machine-readable, one of ``CODES``.
        reason: what was expected, what came, what the publisher can do. No personal data.
        event_type: the event type if it could be told; empty otherwise.
        source: the publishing system if it could be told; empty otherwise.
    """

    code: str
    reason: str
    event_type: str
    source: str


class Codes(Protocol):
    """The codes an event may carry; ``policy.codes`` is one."""

    @property
    def countries(self) -> Collection[str]:
        """ISO 3166-1 alpha-3 and ICAO 9303 special codes."""

    @property
    def oblasts(self) -> Collection[str]:
        """ISO 3166-2:KZ codes."""

    @property
    def posts(self) -> Collection[str]:
        """Codes of border posts."""

    @property
    def sectors(self) -> Collection[str]:
        """Section letters of economic activities."""

    @property
    def visa_categories(self) -> Collection[str]:
        """Visa categories such as ``B10``."""


CODES: dict[str, str] = {
    "empty": "The message has no value.",
    "over_long": "The message is longer than an event may be.",
    "unknown_framing": "The bytes are neither Avro single-object encoding nor Confluent framing.",
    "unknown_schema": "The fingerprint or the schema id is of no schema of ours.",
    "truncated": "The message ends too early.",
    "trailing_bytes": "Bytes follow the end of the message.",
    "undecodable": "The body is not Avro of the schema its header names.",
    "wrong_topic": "The event type does not belong to this topic.",
    "nil_event_id": "The event id is all zeros, so repeats could not be told from new facts.",
    "bad_source": "The source is empty, too long or not printable.",
    "bad_source_seq": "The number at the source is below 1.",
    "far_future": "An instant lies in the future beyond what clocks and time zones explain.",
    "before_1900": "An instant or a date lies before 1900.",
    "after_2200": "An instant or a date lies after 2199.",
    "bad_subject": "The subject is empty or not of its pattern.",
    "bad_employer": "An employer's pseudonym is not of its pattern.",
    "unknown_country": "A country's code is not in the register.",
    "unknown_oblast": "An oblast's code is not in the register.",
    "unknown_post": "A border post's code is not in the register.",
    "unknown_sector": "A sector's letter is not in the register.",
    "unknown_visa_category": "A visa category is not in the register.",
    "unknown_category": "A labour category is none of 1, 2, 3, 4, seasonal.",
    "unknown_purpose": "A purpose is not in the list of border crossings.",
    "missing_refusal_reason": "A refusal of entry without its reason.",
    "unexpected_refusal_reason": "An entry or exit with a reason for refusing it.",
    "missing_valid_until": "An extension of stay without its last day.",
    "missing_category": "An employer permit without its category.",
    "missing_sector": "A worker found without the economic activity.",
    "missing_oblast": "A change of residence in Kazakhstan without the oblast.",
    "missing_until": "An outage that is over without its end.",
    "missing_disputed": "A dispute without what is disputed.",
    "missing_officer": "A decision without the officer who took it.",
    "missing_reason": "A decision without its reason, or with one that is too long.",
    "wrong_country": "The countries do not fit the kind of event.",
    "until_before_from": "A period ends before it begins.",
    "out_of_range": "A number is outside what it can mean.",
    "self_reference": "An event that corrects itself, or a person linked to themselves.",
    "source_not_allowed": "The register of sources does not let this source write this event.",
    "unsigned": "The register of sources wants this source's events signed; this one has no signature.",
    "unknown_key": "The signature names a key the register of sources does not have for this source.",
    "key_not_valid": "The signature's key was not in force, or was revoked, when the message arrived.",
    "bad_signature": "The signature does not fit: it was changed, or the event is not among those that were signed.",
    "wrong_key": "The message's key is not the event's subject, so it may lie in another partition than the rest.",
    "wrong_partition": "It lies in another partition than murmur2 of its key gives, apart from the person's other facts.",
    "too_many_facts": "The subject's facts together are longer than the log carries: one stand-in pseudonym for many people.",
    "rule_failed": "A rule raised an error on this event: a bug of ours; replay it once it is fixed.",
    "refused_by_warehouse": "ClickHouse did not take its row; the worker has processed it. Mend the cause, then replay it.",
}
"""Every code, and what it says; codes are never renamed or reused, publishers program against them."""

FOUND_LATER = frozenset({"wrong_key", "wrong_partition", "too_many_facts", "rule_failed", "refused_by_warehouse"})
"""Codes that depend on more than the message's value: the worker or the warehouse finds them, not the decoder."""
