"""The registers of codes and local days, straight from the policy's YAML files."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

POLICY = Path(__file__).parents[2] / "streams" / "policy" / "kz"

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _file(name: str) -> dict[str, Any]:
    found = yaml.safe_load((POLICY / f"{name}.yaml").read_text("utf-8"))
    assert isinstance(found, dict)
    return found


class Registers:
    """Posts, oblasts, countries, sectors and visa categories of the shipped policy."""

    def __init__(self) -> None:
        self.posts: dict[str, dict[str, Any]] = _file("posts")["posts"]
        self.oblasts: dict[str, dict[str, Any]] = _file("oblasts")["oblasts"]
        countries = _file("countries")
        self.countries = set(countries["countries"]) | set(countries.get("special_codes", {}))
        codes = _file("codes")
        self.sectors = set(codes["sectors"])
        self.visa_categories = set(codes["visa_categories"])

    def local_day(self, at_ms: int, post: str) -> date:
        """Returns the calendar day of an instant at a post."""
        return (EPOCH + timedelta(milliseconds=at_ms)).astimezone(_zone(self.posts[post]["zone"])).date()

    def oblast_of(self, post: str, on: date) -> str:
        """Returns the oblast a post lay in on a day."""
        oblast = str(self.posts[post]["oblast"])
        while on < self.oblasts[oblast]["valid_from"] and self.oblasts[oblast].get("parent"):
            oblast = self.oblasts[oblast]["parent"]
        return oblast


@lru_cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
