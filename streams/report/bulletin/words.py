"""What the booklet says, in Kazakh, Russian and English; numbers and dates by CLDR. A missing text is a fault, never a gap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

import yaml

from streams.policy.codes import Text
from streams.report.bulletin.period import Period

LANGUAGES = ("kk", "ru", "en")
_ZONE = ZoneInfo("Asia/Almaty")


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """Returns every text of a language by key."""
    content = resources.files("streams.report.bulletin").joinpath("texts", f"{language}.yaml").read_text(encoding="utf-8")
    loaded: dict[str, str] = yaml.safe_load(content)
    return loaded


@dataclass(frozen=True, slots=True)
class Words:
    """Speaks one language.

    Attributes:
        language: kk, ru or en.
    """

    language: str

    def __call__(self, key: str, **values: object) -> str:
        """Returns a text with its places filled."""
        return catalogue(self.language)[key].format(**values)

    @property
    def _locale(self) -> str:
        return "en_GB" if self.language == "en" else self.language

    def of(self, text: Text) -> str:
        """Returns a text of the policy."""
        return {"kk": text.kk, "ru": text.ru, "en": text.en}[self.language]

    def number(self, value: int) -> str:
        """Returns a whole number as it is written."""
        from babel.numbers import format_decimal

        return str(format_decimal(value, locale=self._locale))

    def day(self, day: date) -> str:
        """Returns a day in words."""
        from babel.dates import format_date

        return str(format_date(day, "d MMMM y", locale=self._locale))

    def moment(self, at: datetime) -> str:
        """Returns an instant in the country's zone."""
        from babel.dates import format_datetime

        return str(format_datetime(at.astimezone(_ZONE), "d MMMM y HH:mm", locale=self._locale))

    def month(self, name: str) -> str:
        """Returns a month, given as ``2026-07``."""
        from babel.dates import format_date

        text = str(format_date(date.fromisoformat(f"{name}-01"), "LLLL y", locale=self._locale))
        return text[0].upper() + text[1:]

    def period(self, period: Period) -> str:
        """Returns the name of a period."""
        if period.quarter:
            return self("booklet.quarter", number=period.quarter, year=period.first.year)
        return self.month(period.name) if "-" in period.name else str(period.first.year)
