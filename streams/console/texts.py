"""What the console says, in Kazakh, Russian and English; dates, numbers and plurals by CLDR.

One file per language, and one each for the officers' own work, for documents and who is whom, and for publishing systems, with
the same keys and the same placeholders (a test holds it). Titles of rules, options, groups, posts and oblasts are the
policy's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib import resources
from typing import Literal
from zoneinfo import ZoneInfo

import yaml
from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal, format_percent

from streams.policy.codes import Text

Language = Literal["kk", "ru", "en"]
LANGUAGES: tuple[Language, ...] = ("kk", "ru", "en")
NAMES: dict[Language, str] = {"kk": "Қазақша", "ru": "Русский", "en": "English"}
DEFAULT: Language = "kk"
PARTS = ("work", "identity", "sources")
"""Texts that have files of their own: ``work.kk.yaml`` and so on."""

_EPOCH = date(1970, 1, 1)
_ZONE = ZoneInfo("Asia/Almaty")
"""Instants are shown in the country's zone (one zone since 1 March 2024)."""


@cache
def catalogue(language: Language) -> Mapping[str, str]:
    """Returns every text of a language by key."""
    loaded: dict[str, str] = {}
    for name in (f"{language}.yaml", *(f"{part}.{language}.yaml" for part in PARTS)):
        content = resources.files("streams.console").joinpath("texts", name).read_text(encoding="utf-8")
        loaded |= yaml.safe_load(content)
    return loaded


@dataclass(frozen=True, slots=True)
class Voice:
    """Speaks one language.

    Attributes:
        language: kk, ru or en.
    """

    language: Language

    def __call__(self, key: str, **values: object) -> str:
        """Returns a text with its placeholders filled; with ``count``, its plural form (keys ``key.one``, ``key.few``, …)."""
        texts = catalogue(self.language)
        if "count" in values:
            count = values["count"]
            form = self._locale.plural_form(count if isinstance(count, int) else 0)
            text = texts.get(f"{key}.{form}") or texts[f"{key}.other"]
            values["count"] = self.number(count if isinstance(count, int) else 0)
        else:
            text = texts[key]
        return text.format(**values) if values else text

    @property
    def _locale(self) -> Locale:
        return Locale.parse("en_GB" if self.language == "en" else self.language)

    def of(self, text: Text | None, otherwise: str = "") -> str:
        """Returns a text of the policy in this language."""
        if text is None:
            return otherwise
        return {"kk": text.kk, "ru": text.ru, "en": text.en}[self.language]

    def number(self, value: float) -> str:
        """Returns a number as it is written in this language."""
        return str(format_decimal(value, locale=self._locale))

    def percent(self, share: float | None) -> str:
        """Returns a share of 1 in percent; a dash where there is none."""
        return "—" if share is None else str(format_percent(share, locale=self._locale))

    def day(self, day: int | date | None) -> str:
        """Returns a day (days since 1970-01-01, or a date) in words."""
        if day is None:
            return "—"
        when = day if isinstance(day, date) else _EPOCH + timedelta(days=day)
        return str(format_date(when, format="d MMM y", locale=self._locale))

    def moment(self, at: int | datetime) -> str:
        """Returns an instant (UTC epoch ms, or an aware datetime) in the country's zone."""
        return str(format_datetime(_local(at), format="d MMM y HH:mm:ss", locale=self._locale))

    def day_of(self, at: int | datetime) -> str:
        """Returns the country's day of an instant in words."""
        return self.day(_local(at).date())

    def hour(self, at: int | datetime) -> str:
        """Returns an instant's time of day in the country's zone."""
        return str(format_datetime(_local(at), format="HH:mm", locale=self._locale))

    def short(self, at: int | datetime) -> str:
        """Returns an instant without year and seconds: for what is of today, of yesterday, or soon."""
        return str(format_datetime(_local(at), format="d MMM HH:mm", locale=self._locale))


def _local(at: int | datetime) -> datetime:
    when = at if isinstance(at, datetime) else datetime.fromtimestamp(at / 1000, UTC)
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(_ZONE)


VOICES: dict[str, Voice] = {language: Voice(language) for language in LANGUAGES}


def choose(cookie: str, accepted: str) -> Voice:
    """Returns the voice for a browser: what was chosen, else the first language it accepts that we speak, else Kazakh.

    Args:
        cookie: the language chosen before; empty if none.
        accepted: the browser's ``Accept-Language``.
    """
    if cookie in VOICES:
        return VOICES[cookie]
    for part in accepted.split(",")[:10]:
        language = part.split(";")[0].strip().lower()[:2]
        if language in VOICES:
            return VOICES[language]
    return VOICES[DEFAULT]
