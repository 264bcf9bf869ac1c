"""Where people cross, live and work, and what time it is there."""

from __future__ import annotations

from collections.abc import Mapping

from streams.policy.codes import Post
from streams.policy.model import Policy
from streams.simulate.data import Country
from streams.simulate.draft import HOUR_MS
from streams.simulate.draws import Draws, Weighted

_NEIGHBOUR_WEIGHT = 30
"""A post on the traveller's own border is this many times likelier than another land post."""

_AIR_WEIGHT = {"KZ-75": 40, "KZ-71": 25, "KZ-79": 10}
"""Airports of the three big cities carry most flights; any other counts 3."""


class Places:
    """Posts, oblasts and their local time.

    Args:
        country: the tables of the synthetic country.
        policy: the registers of posts and oblasts, and the zones.
    """

    def __init__(self, country: Country, policy: Policy) -> None:
        self._policy = policy
        self.posts: Mapping[str, Post] = policy.codes.posts
        known = {oblast: weight for oblast, weight in country.oblasts.items() if oblast in policy.codes.oblasts}
        self.oblasts = Weighted(known)
        self.capital = self.oblasts.things[0]
        self._hours = {kind: Weighted(dict(enumerate(weights))) for kind, weights in country.hours.items()}
        self._midnights: dict[tuple[str, int], int] = {}
        self._by_citizenship = {code: self._posts_for(code) for code in country.citizenships}
        self._any = self._posts_for("")

    def _posts_for(self, citizenship: str) -> Weighted[str]:
        land = any(post.neighbour == citizenship for post in self.posts.values() if post.neighbour)
        weights = {}
        for code, post in self.posts.items():
            if post.kind == "air":
                weights[code] = _AIR_WEIGHT.get(post.oblast, 3) * (1 if land else 6)
            elif post.neighbour:
                weights[code] = _NEIGHBOUR_WEIGHT if post.neighbour == citizenship else 1
            else:
                weights[code] = 1
        return Weighted(weights)

    def post_for(self, citizenship: str, draws: Draws) -> Post:
        """Returns the post where someone of a citizenship crosses: mostly on their own border or a big airport."""
        return self.posts[draws.of(self._by_citizenship.get(citizenship, self._any))]

    def instant(self, day: int, place: str, hour: int = 0) -> int:
        """Returns the instant (UTC epoch ms) of a local hour of a day at a post or oblast."""
        key = (place, day)
        midnight = self._midnights.get(key)
        if midnight is None:
            if len(self._midnights) > 50_000:
                self._midnights.clear()
            midnight = self._midnights[key] = self._policy.zone_of(place).day_end_ms(day - 1)
        return midnight + hour * HOUR_MS

    def crossing_time(self, day: int, post: Post, draws: Draws) -> int:
        """Returns an instant of a local day at a post, by the daily rhythm of its kind of transport."""
        hours = self._hours.get(post.kind, self._hours["road"])
        return self.instant(day, post.code, draws.of(hours)) + int(draws.ratio() * HOUR_MS)

    def office_time(self, day: int, oblast: str, draws: Draws) -> int:
        """Returns an instant of a local day in office hours (9 to 18) of an oblast."""
        return self.instant(day, oblast, 9) + int(draws.ratio() * 9 * HOUR_MS)

    def day_of(self, at_ms: int, place: str) -> int:
        """Returns the local day of an instant at a post or oblast."""
        return self._policy.local_day(at_ms, place)
