"""What a policy is once it is loaded: immutable, pure, and quick to ask. Every answer is a value of one day."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from streams.policy.calendar import WorkingDays
from streams.policy.codes import Codes, Confidence, Text
from streams.policy.zones import Zone

Anchor = Literal["rolling", "first_entry", "per_entry"]
Severity = Literal["info", "low", "medium", "high"]
Family = Literal["breach", "protective", "reminder", "data_quality"]

UNKNOWN_GROUP = "unknown"
"""The group of a citizenship nobody could tell: no allowance, and nothing held against anyone."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """How long people of a group may stay without any other title (docs/rules.md, Allowance).

    Attributes:
        days_per_entry: days of one stay; none where there is no such limit.
        days_in_window: days in the window; none where there is no such limit.
        window_days: length of the window in days; none where there is no window.
        anchor: ``rolling``, ``first_entry`` or ``per_entry``: where the window stands.
    """

    days_per_entry: int | None
    days_in_window: int | None
    window_days: int | None
    anchor: Anchor


@dataclass(frozen=True, slots=True)
class RuleTerms:
    """What the policy says about one rule on one day.

    Attributes:
        name: name of the rule, e.g. ``overstay_visa_exempt``.
        family: breach, protective, reminder or data_quality.
        severity: from policy alone, never from a person's attributes.
        article: the law article or Concept clause it rests on.
        confidence: how sure we are of the article.
        options: lawful options in the order they must be considered; those that do not apply are left out by `cases`.
    """

    name: str
    family: Family
    severity: Severity
    article: str
    confidence: Confidence
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QuotaLine:
    """One line of a quota, as published.

    Attributes:
        quota: ``labour`` or ``kandas``.
        year: calendar year it is for.
        version: 1, 2, … within the year.
        oblast: ISO 3166-2:KZ; none for the whole country.
        category: labour category; none for all.
        sector: section letter; none for all.
        persons: people allowed.
        effective_on: first day of this version, days since 1970-01-01; it holds to the next version, or 31 December.
        source: where the figure is from.
        confidence: how sure we are of it.
    """

    quota: Literal["labour", "kandas"]
    year: int
    version: int
    oblast: str | None
    category: str | None
    sector: str | None
    persons: int
    effective_on: int
    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class Rules:
    """Every dated value in force on one day. `Policy.at` hands out one object per unbroken period.

    None means: no such rule on that day. Shares are whole percent, so that 10 of 100 is exactly 10.

    Attributes:
        from_on: first day of the period these values hold together, days since 1970-01-01.
        until_on: last day of it; none for the latest.
        allowances: allowance by stay group; a group that is not here needs a visa or another title.
        temporary_residence_days: a stay longer than this needs a temporary residence permit; calendar days.
        contract_grants_stay: groups whose labour contract is a title of stay.
        extension_request_days: days before the last lawful day by which an extension has to be asked for; calendar days.
        notification_days: term to notify of an arrival, in ``notification_unit``.
        notification_unit: ``working`` (the entry day does not count) or ``calendar``.
        notification_by: who has to notify.
        notification_groups: groups with a term of their own: calendar days, the entry day is the first.
        asylum_appeal_days: term to appeal a refusal of asylum, calendar days.
        asylum_departure_days: term to leave after an appeal was dismissed, calendar days.
        permit_free_groups: groups that work without a permit.
        purposes_without_work: purposes of entry that do not allow work.
        permit_single_oblast: a work permit is good for one oblast.
        household_permit_max_months: longest unbroken time on household permits.
        household_permit_single_months: longest single household permit.
        permit_max_months: longest permit by permit type.
        citizen_share_12: least share of citizens in categories 1 and 2, percent.
        citizen_share_34: least share of citizens in categories 3 and 4, percent.
        transferee_share_max: greatest share of intra-company transferees, percent; shown only (docs/policy.md).
        trafficking_min_workers: people at one employer and address from which the indicator is looked at.
        trafficking_expiry_days: days within which their documents expired together.
        trafficking_seen_days: days after that within which they must have been seen or lodged there.
        quota_pace_days: days whose use of a quota is its pace.
        quota_warning_days: days before a quota is used up, at its pace, from which that is told.
        expulsion_ban_years: entry ban after an expulsion.
        reminder_days: days before the last lawful day on which a reminder is due, descending.
        legalisation_window: whether a legalisation campaign is open.
        retention_after_exit_years: how long data are kept after a lawful exit.
        retention_no_exit_years: how long after the last lawful day where no exit was seen.
        retention_notice_days: days of notice before erasure.
        retention_longest_title_years: the longest a title given once can make a stay lawful; copies for statistics are kept this
            much longer; 0: without end.
        mci_kzt: monthly calculation index, tenge; shown, never used to compute a penalty.
        fines: note on the fine by article of the Code; shown, never computed.
        by_rule: terms by rule name; a rule that is not here is not applied.
        quotas: quota lines in force.
    """

    from_on: int
    until_on: int | None
    allowances: Mapping[str, Allowance]
    temporary_residence_days: int | None
    contract_grants_stay: frozenset[str]
    extension_request_days: int | None
    notification_days: int | None
    notification_unit: Literal["working", "calendar"]
    notification_by: Literal["host", "foreigner"]
    notification_groups: Mapping[str, int]
    asylum_appeal_days: int
    asylum_departure_days: int
    permit_free_groups: frozenset[str]
    purposes_without_work: frozenset[str]
    permit_single_oblast: bool
    household_permit_max_months: int | None
    household_permit_single_months: int | None
    permit_max_months: Mapping[str, int]
    citizen_share_12: int | None
    citizen_share_34: int | None
    transferee_share_max: int | None
    trafficking_min_workers: int | None
    trafficking_expiry_days: int | None
    trafficking_seen_days: int | None
    quota_pace_days: int | None
    quota_warning_days: int | None
    expulsion_ban_years: int | None
    reminder_days: tuple[int, ...]
    legalisation_window: bool
    retention_after_exit_years: int
    retention_no_exit_years: int
    retention_notice_days: int
    retention_longest_title_years: int
    mci_kzt: int | None
    fines: Mapping[str, str]
    by_rule: Mapping[str, RuleTerms]
    quotas: tuple[QuotaLine, ...]

    def allowance(self, group: str) -> Allowance | None:
        """Returns the allowance of a stay group; none where the group needs another title."""
        return self.allowances.get(group)

    def quota(
        self, quota: str, oblast: str | None = None, category: str | None = None, sector: str | None = None
    ) -> QuotaLine | None:
        """Returns the line in force for exactly this oblast, category and sector (none: the whole), if there is one."""
        for line in self.quotas:
            if (line.quota, line.oblast, line.category, line.sector) == (quota, oblast, category, sector):
                return line
        return None


@dataclass(frozen=True, slots=True)
class Period:
    """One dated value of a parameter; it holds to the day before the next one.

    Attributes:
        from_on: first day, days since 1970-01-01.
        value: the value, of the parameter's kind.
        source: where it is written.
        confidence: how sure we are of it.
    """

    from_on: int
    value: Any  # of the parameter's kind; `object` would not compile with mypyc
    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class Parameter:
    """A dated parameter with its whole history.

    Attributes:
        name: field of `Rules`, or ``allowance.GROUP``, ``group.GROUP``, ``rule.RULE.severity|article|options``.
        unit: unit of the values.
        description: what it is.
        periods: its values, by ascending first day.
        where: file and line it stands in.
    """

    name: str
    unit: str
    description: Text
    periods: tuple[Period, ...]
    where: str

    def on(self, day: int) -> Period:
        """Returns the one period in force on a day; a day before the first is answered with the first."""
        low, high = 0, len(self.periods)
        while low < high:
            middle = (low + high) // 2
            if self.periods[middle].from_on <= day:
                low = middle + 1
            else:
                high = middle
        return self.periods[max(low - 1, 0)]


@dataclass(frozen=True, slots=True)
class Change:
    """One parameter changing its value.

    Attributes:
        on: first day of the new value.
        parameter: name of the parameter.
        before: the period that ends; none where the parameter begins.
        after: the period that begins.
    """

    on: int
    parameter: str
    before: Period | None
    after: Period


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy: immutable, asked by day. Built by `streams.policy.load.load`.

    Attributes:
        name: e.g. ``kz``.
        version: name and a hash of everything it says, e.g. ``kz-1a2b3c4d``.
        title: what it is, for people.
        codes: the registers of codes.
        working_days: the working-day calendar.
        parameters: every dated parameter with its history, by name.
        rule_texts: title and description of every rule.
        option_texts: every lawful option in the order they must be considered.
        group_texts: title of every stay group.
        quotas: every quota line, of all years and versions.
        quota_texts: what each quota is a quota of; the figures are persons.
        zones: zone by place (post or oblast code); an empty place is the country as a whole.
        periods: first day of each period in which no value changes.
        rules: the values of each period.
        group_starts: by citizenship, the first day of each period of membership.
        group_names: by citizenship, the group in each of these periods.
        unknown_group: the group of a citizenship that is not in the register: ``unknown`` where the policy has such a
            group, else the group of everyone.
    """

    name: str
    version: str
    title: Text
    codes: Codes
    working_days: WorkingDays
    parameters: Mapping[str, Parameter]
    rule_texts: Mapping[str, tuple[Text, Text]]
    option_texts: Mapping[str, Text]
    group_texts: Mapping[str, Text]
    quotas: tuple[QuotaLine, ...]
    quota_texts: Mapping[str, Text]
    zones: Mapping[str, Zone]
    periods: tuple[int, ...]
    rules: tuple[Rules, ...]
    group_starts: Mapping[str, tuple[int, ...]]
    group_names: Mapping[str, tuple[str, ...]]
    unknown_group: str

    def zone_of(self, place: str) -> Zone:
        """Returns the zone of a post or oblast; a place this policy does not know is read in the country's zone.

        (Codes are checked where events come in; a code that a later policy dropped must not stop the stream.)
        """
        zone = self.zones.get(place)
        return self.zones[""] if zone is None else zone

    def local_day(self, at_ms: int, place: str) -> int:
        """Returns the calendar day of an instant at a place.

        Args:
            at_ms: UTC epoch ms.
            place: code of a post or oblast; empty for the country as a whole.

        Returns:
            Days since 1970-01-01.
        """
        zone = self.zones.get(place)
        return (self.zones[""] if zone is None else zone).local_day(at_ms)

    def day_end_ms(self, day: int, place: str) -> int:
        """Returns the first instant (UTC epoch ms) after a local day (days since 1970-01-01) at a place."""
        return self.zone_of(place).day_end_ms(day)

    def at(self, day: int) -> Rules:
        """Returns the values in force on a day (days since 1970-01-01).

        The same object for every day of an unbroken period; a day before the policy begins is answered with its first values.
        """
        index = bisect_right(self.periods, day) - 1
        return self.rules[max(index, 0)]

    def group_of(self, citizenship: str, day: int) -> str:
        """Returns the one stay group of a citizenship on a day.

        Args:
            citizenship: ISO 3166-1 alpha-3 or an ICAO 9303 special code.
            day: days since 1970-01-01.

        Returns:
            The group's name; `unknown_group` for a code that is not in the register.
        """
        starts = self.group_starts.get(citizenship)
        if starts is None:
            return self.unknown_group
        index = bisect_right(starts, day) - 1
        return self.group_names[citizenship][max(index, 0)]

    def changes(self, day_from: int, day_to: int) -> tuple[Change, ...]:
        """Returns what changes from one day to another, both included, by day and then by name."""
        found = [
            Change(period.from_on, parameter.name, parameter.periods[index - 1] if index else None, period)
            for parameter in self.parameters.values()
            for index, period in enumerate(parameter.periods)
            if day_from <= period.from_on <= day_to
        ]
        found.sort(key=lambda change: (change.on, change.parameter))
        return tuple(found)
