"""The explanation of an alert in words, in Kazakh, Russian and English.

A presumption never reads like a fact: where nobody saw the person, the text says that no exit was seen.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any, Literal

import yaml

Language = Literal["kk", "ru", "en"]

_WORDS: dict[str, dict[str, str]] = {
    "en": {
        "state": "State",
        "raised": "open",
        "amended": "open, amended",
        "acknowledged": "open, seen by an officer",
        "resolved": "it was so and has ended",
        "retracted": "taken back: it was never so",
        "expired": "expired",
        "established": "the person was seen inside after the term",
        "presumed": "no exit seen; all posts have reported",
        "uncertain": "no exit seen; some post has not reported or was out",
        "article": "Rests on",
        "policy": "Decided by policy",
        "other_policy": "(the policy loaded now is another: the days below are computed with it)",
        "lasts": "and lasting",
        "to": "to",
        "days": "days",
        "deadline": "Last day to act or leave",
        "versions": "What was told, and when",
        "known": "events known",
        "events": "What happened",
        "evidence": "rests on it",
        "alerts": "The alerts it rests on, as they stand",
        "later": "not known when first told",
        "withdrawn": "withdrawn by a correction",
        "then": "The days as known when first told",
        "now": "The days as known at the last version",
        "lawful": "lawful",
        "no_title_known": "no title known",
        "unknown": "unknown: exit not seen",
        "options": "What can lawfully be done, in this order",
        "note": "A finding is a presumption that can be rebutted. Officers decide, not this program.",
    },
    "ru": {
        "state": "Состояние",
        "raised": "открыто",
        "amended": "открыто, изменено",
        "acknowledged": "открыто, принято сотрудником",
        "resolved": "было и прекратилось",
        "retracted": "отозвано: этого не было",
        "expired": "истекло",
        "established": "человека видели в стране после срока",
        "presumed": "выезд не отмечен; все пункты отчитались",
        "uncertain": "выезд не отмечен; какой-то пункт не отчитался или не работал",
        "article": "Основание",
        "policy": "Решено по политике",
        "other_policy": "(сейчас загружена другая: дни ниже посчитаны по ней)",
        "lasts": "и продолжается",
        "to": "по",
        "days": "дн.",
        "deadline": "Последний день, чтобы действовать или выехать",
        "versions": "Что и когда сообщалось",
        "known": "известно событий",
        "events": "Что произошло",
        "evidence": "вывод опирается на это",
        "alerts": "Сигналы, на которые он опирается, в их нынешнем виде",
        "later": "не было известно вначале",
        "withdrawn": "отозвано исправлением",
        "then": "Дни, как было известно вначале",
        "now": "Дни, как известно по последней версии",
        "lawful": "законно",
        "no_title_known": "основание не известно",
        "unknown": "не известно: выезд не отмечен",
        "options": "Что можно законно сделать, в этом порядке",
        "note": "Вывод есть опровержимое предположение. Решают сотрудники, а не эта программа.",
    },
    "kk": {
        "state": "Күйі",
        "raised": "ашық",
        "amended": "ашық, өзгертілген",
        "acknowledged": "ашық, қызметкер қараған",
        "resolved": "болған және аяқталған",
        "retracted": "кері алынды: мұндай болмаған",
        "expired": "мерзімі өткен",
        "established": "мерзімнен кейін адам ел ішінде көрінген",
        "presumed": "шығуы байқалмаған; барлық бекет есеп берген",
        "uncertain": "шығуы байқалмаған; бір бекет есеп бермеген немесе істемеген",
        "article": "Негізі",
        "policy": "Шешкен саясат",
        "other_policy": "(қазір басқасы жүктелген: төмендегі күндер сол бойынша есептелген)",
        "lasts": "жалғасуда",
        "to": "дейін",
        "days": "күн",
        "deadline": "Әрекет ету немесе кету үшін соңғы күн",
        "versions": "Не және қашан хабарланды",
        "known": "белгілі оқиға",
        "events": "Не болды",
        "evidence": "қорытынды осыған сүйенеді",
        "alerts": "Ол сүйенетін дабылдар, қазіргі күйінде",
        "later": "алғашында белгісіз болған",
        "withdrawn": "түзетумен кері алынған",
        "then": "Алғашында белгілі болған күндер",
        "now": "Соңғы нұсқа бойынша күндер",
        "lawful": "заңды",
        "no_title_known": "негізі белгісіз",
        "unknown": "белгісіз: шығуы байқалмаған",
        "options": "Заң бойынша не істеуге болады, осы ретпен",
        "note": "Қорытынды — теріске шығаруға болатын болжам. Шешімді бағдарлама емес, қызметкерлер қабылдайды.",
    },
}

LANGUAGES: tuple[Language, ...] = ("kk", "ru", "en")


def grade_text(grade: str, language: Language) -> str:
    """Returns an evidence grade in words."""
    return _WORDS[language][grade]


@cache
def words_of(language: Language) -> dict[str, str]:
    """Returns the words for what stands in the data as a code: reasons, titles, event types (``reason.exit_seen``)."""
    text = resources.files("streams.report").joinpath("texts", f"explain.{language}.yaml").read_text(encoding="utf-8")
    found: dict[str, str] = yaml.safe_load(text)
    return found


def as_text(found: dict[str, Any], language: Language) -> str:
    """Returns an explanation in words.

    Args:
        found: what `streams.report.explain.explain` returned.
        language: ``kk``, ``ru`` or ``en``.
    """
    words = _WORDS[language]
    names = words_of(language)
    title = found["title"][language] if found["title"] else found["rule"]
    until = f"{words['to']} {found['last_day_on']}" if found["last_day_on"] else words["lasts"]
    lines = [f"{title} ({found['rule']})"]
    if found["description"]:
        lines.append(found["description"][language])
    if found["state"] != "retracted":  # what never was has no days
        lines.append(f"{found['first_day_on']} {until} · {found['days']} {words['days']}")
    lines += [
        f"{words['state']}: {_standing(found, words)}",
        f"{words['deadline']}: {found['deadline_on']}",
        f"{words['article']}: {found['article']}",
        f"{words['policy']}: {found['policy_version']}" + ("" if found["same_policy"] else f" {words['other_policy']}"),
        "",
        words["versions"],
    ]
    lines += [
        f"  {one['version']}. {_minute(one['decided_at'])}  {_standing(one, words)}  "
        f"({names.get('reason.' + one['reason'], one['reason'])}; {words['known']}: {one['known_events']})"
        for one in found["versions"]
    ]
    lines += ["", words["events"]]
    for one in found["events"]:
        marks = [
            words[word]
            for word, holds in (
                ("evidence", one["is_evidence"]),
                ("later", not one["known_when_first_told"]),
                ("withdrawn", one["withdrawn"]),
            )
            if holds
        ]
        says = ", ".join(
            f"{key} {value}" for key, value in one["says"].items() if not key.endswith("_id") and key != "address_key"
        )
        lines.append(
            f"  {_minute(one['occurred_at'])}  {names.get('event.' + one['type'], one['type'])}: {says}"
            + (f"  [{'; '.join(marks)}]" if marks else "")
        )
        lines.append(f"      {one['topic']}/{one['partition']}@{one['offset']}  {one['source']}")
    if found["alerts"]:
        lines += ["", words["alerts"]]
    for one in found["alerts"]:
        until = f"{words['to']} {one['last_day_on']}" if one["last_day_on"] else words["lasts"]
        title = one["title"][language] if one["title"] else one["rule"]
        state = words.get(one["state"], one["state"])
        lines.append(f"  {one['first_day_on']} {until}  {title}  ({state}; {words[one['grade']]})")
        lines.append(f"      {one['alert_id']}  {one['subject']}")
    for head, key in (("then", "ledger_as_first_told"), ("now", "ledger_now")):
        if key == "ledger_as_first_told" and found[key] == found["ledger_now"]:
            continue
        lines += ["", words[head]]
        lines += [
            f"  {one['from']} … {one['to']}  {one['days']} {words['days']}  {words[one['standing']]}"
            + (f" ({', '.join(names.get('title.' + title, title) for title in one['titles'])})" if one["titles"] else "")
            for one in found[key]
        ]
    if found["options"]:
        lines += ["", words["options"], *(f"  {n}. {one['text'][language]}" for n, one in enumerate(found["options"], 1))]
    return "\n".join([*lines, "", words["note"]])


def _standing(one: dict[str, Any], words: dict[str, str]) -> str:
    """Returns a state in words, and how well it is known; what was taken back is not known at all."""
    state = words.get(one["state"], one["state"])
    return state if one["state"] == "retracted" else f"{state} · {words[one['grade']]}"


def _minute(instant: str) -> str:
    return instant[:16].replace("T", " ")
