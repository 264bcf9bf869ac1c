"""A new key for pseudonyms: every document gets its new pseudonym, and a link ties it to the old one (ADR 0012, ADR 0146)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from uuid import uuid5

from streams.documents import TravelDocument
from streams.publish.pseudonym import Pseudonyms
from streams.records import IdentityLink
from streams.vault.candidates import PAIR_IDS, pair_id
from streams.vault.store import KEY_ROTATION, Pair
from streams.vault.vault import Vault

SOURCE = "register:pseudonym-keys"
_AT_ONCE = 500
_LAST_SEQ = "relinked_seq"


def relink(vault: Vault, old: Pseudonyms, new: Pseudonyms, publish: Callable[[list[IdentityLink]], object], now_ms: int) -> int:
    """Links every document's pseudonym under the old key with the one under the new key.

    Killed in between it goes on where it stopped: what is linked is noted once Kafka has it. Decisions about candidates hold
    for the new pseudonyms too.

    Args:
        vault: where the documents lie.
        old: the key so far.
        new: the key from now on.
        publish: sends links and returns when Kafka has them.
        now_ms: UTC epoch ms: when the links are made.

    Returns:
        How many links were published.
    """
    done = {(pair.first, pair.second) for pair in vault.store.pairs() if pair.superseded()}
    waiting: list[tuple[str, str, TravelDocument]] = []
    number = 0
    # All at once: what is written on the way must not be walked over.
    for subject, document in list(vault.documents()):
        if subject != old.holder(document):
            continue
        fresh = new.holder(document)
        if tuple(sorted((subject, fresh))) not in done:
            waiting.append((subject, fresh, document))
    for start in range(0, len(waiting), _AT_ONCE):
        part = waiting[start : start + _AT_ONCE]
        last = vault.store.note(_LAST_SEQ)
        publish([_link(before, after, now_ms, last + place) for place, (before, after, _) in enumerate(part, 1)])
        _note(vault, part, now_ms)
        number += len(part)
    return number


def _link(before: str, after: str, at_ms: int, seq: int) -> IdentityLink:
    link = pair_id(before, after)
    event = uuid5(PAIR_IDS, f"{link}|key_rotation")
    return IdentityLink(event.bytes, after, at_ms, at_ms, SOURCE, seq, "linked", link.bytes, before, "key_rotation")


def _note(vault: Vault, part: list[tuple[str, str, TravelDocument]], now_ms: int) -> None:
    renamed = {before: after for before, after, _ in part}
    with vault.store.writing():
        vault.keep([(after, document) for _, after, document in part])
        pairs = []
        for before, after, _ in part:
            first, second = sorted((before, after))
            pairs.append(Pair(first, second, 1.0, "{}", "accepted", now_ms, KEY_ROTATION, now_ms, before))
        for pair in vault.store.pairs():
            if pair.decided_by != KEY_ROTATION and {pair.first, pair.second} & renamed.keys():
                first, second = sorted((renamed.get(pair.first, pair.first), renamed.get(pair.second, pair.second)))
                pairs.append(replace(pair, first=first, second=second))
                if pair.state == "proposed":
                    # One question about two people, under their newest pseudonyms.
                    pairs.append(replace(pair, state="rejected", decided_by=KEY_ROTATION, decided_at=now_ms))
        vault.store.put_pairs(pairs)
        vault.store.set_note(_LAST_SEQ, vault.store.note(_LAST_SEQ) + len(part))
