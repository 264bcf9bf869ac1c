"""What was concluded so far about one person or employer: the last version of each conclusion, in as few bytes as will do."""

from __future__ import annotations

from struct import Struct
from typing import Final, get_args

from streams.detect.packing import Strings, put_int, put_uint, take_int, take_uint
from streams.records.outputs import AlertState, Family, Grade

RULES: Final[tuple[str, ...]] = (
    "overstay_visa_exempt", "overstay_visa", "overstay_permit", "overstay_protection_refused", "title_unknown",
    "arrival_not_notified", "extension_not_requested", "work_without_permit", "work_permit_expired", "work_other_employer",
    "work_other_oblast", "work_purpose", "contract_not_concluded", "household_permit_too_long", "entry_during_ban",
    "entry_without_exit", "exit_without_entry", "expiry_reminder", "employer_citizen_share",
    "employer_unlawful_workers", "employer_over_quota", "quota_exhausted", "quota_forecast", "trafficking_indicators",
)  # fmt: skip
"""Rules by the number they are stored under. Append only."""

REASONS: Final[tuple[str, ...]] = (
    "raised", "exit_seen", "exit_not_seen", "title_found", "registered", "permit_found", "contract_found", "citizenship",
    "permits_over", "extension", "term_over", "correction", "dispute", "policy", "new_facts", "coverage", "evidence",
    "options", "threshold", "acknowledged", "share_met", "alerts_ended",
    "within_quota", "people_out", "quota_raised", "quota_used_up", "year_over", "pace", "identity", "retention",
)  # fmt: skip
"""Reasons of a version by the number they are stored under. Append only."""

_RULE_CODE: Final = {rule: code for code, rule in enumerate(RULES)}
_REASON_CODE: Final = {reason: code for code, reason in enumerate(REASONS)}
_STATES: Final[tuple[AlertState, ...]] = get_args(AlertState)
_GRADES: Final[tuple[Grade, ...]] = get_args(Grade)
_FAMILIES: Final[tuple[Family, ...]] = get_args(Family)
_FORM: Final = Struct("<BBBBI")

OPEN_STATES: Final = frozenset({"raised", "amended", "acknowledged"})


class Known:
    """The last version of one conclusion.

    Attributes:
        rule: the rule.
        stay_on: the stay.
        deadline_on: the deadline; with rule, subject and stay it makes the id.
        first_day_on: first day as last told.
        last_day_on: last day as last told; none while it lasted.
        version: the last version.
        state: its state.
        reason: why it came.
        grade: its grade.
        family: its family.
        digest: checksum of what a further version would have to change.
        group, oblast, post, employer, sector: as last told, for the version that takes it back.
    """

    __slots__ = (
        "deadline_on", "digest", "employer", "family", "first_day_on", "grade", "group", "last_day_on", "oblast", "post",
        "reason", "rule", "sector", "state", "stay_on", "version",
    )  # fmt: skip

    def __init__(self, rule: str, stay_on: int, deadline_on: int) -> None:
        self.rule = rule
        self.stay_on = stay_on
        self.deadline_on = deadline_on
        self.first_day_on = 0
        self.last_day_on: int | None = None
        self.version = 0
        self.state: AlertState = "raised"
        self.reason = "raised"
        self.grade: Grade = "established"
        self.family: Family = "breach"
        self.digest = 0
        self.group = ""
        self.oblast = ""
        self.post = ""
        self.employer = ""
        self.sector = ""

    @property
    def key(self) -> tuple[str, int, int]:
        """Rule, stay and deadline."""
        return self.rule, self.stay_on, self.deadline_on

    @property
    def is_open(self) -> bool:
        """Whether its last version says that it lasts."""
        return self.state in OPEN_STATES

    def put(self, out: bytearray, strings: Strings) -> None:
        """Appends it."""
        out += _FORM.pack(
            _RULE_CODE[self.rule],
            _STATES.index(self.state) | _GRADES.index(self.grade) << 4 | _FAMILIES.index(self.family) << 6,
            _REASON_CODE[self.reason],
            0 if self.last_day_on is None else 1,
            self.digest,
        )
        put_uint(out, self.version)
        put_int(out, self.stay_on)
        put_int(out, self.deadline_on - self.stay_on)
        put_int(out, self.first_day_on - self.deadline_on)
        if self.last_day_on is not None:
            put_int(out, self.last_day_on - self.first_day_on)
        for text in (self.group, self.oblast, self.post, self.employer, self.sector):
            put_uint(out, strings.code(text))


def _take(data: bytes, at: int, strings: Strings) -> tuple[Known, int]:
    """Reads what `Known.put` wrote; returns it and the position behind it."""
    rule, packed, reason, ended, digest = _FORM.unpack_from(data, at)
    version, at = take_uint(data, at + 8)
    stay_on, at = take_int(data, at)
    deadline, at = take_int(data, at)
    first, at = take_int(data, at)
    known = Known(RULES[rule], stay_on, stay_on + deadline)
    known.first_day_on = known.deadline_on + first
    if ended:
        last, at = take_int(data, at)
        known.last_day_on = known.first_day_on + last
    known.version = version
    known.state = _STATES[packed & 15]
    known.grade = _GRADES[packed >> 4 & 3]
    known.family = _FAMILIES[packed >> 6]
    known.reason = REASONS[reason]
    known.digest = digest
    code, at = take_uint(data, at)
    known.group = strings.text(code)
    code, at = take_uint(data, at)
    known.oblast = strings.text(code)
    code, at = take_uint(data, at)
    known.post = strings.text(code)
    code, at = take_uint(data, at)
    known.employer = strings.text(code)
    code, at = take_uint(data, at)
    known.sector = strings.text(code)
    return known, at


def put_all(out: bytearray, known: list[Known], strings: Strings) -> None:
    """Appends conclusions, as `take_all` reads them."""
    put_uint(out, len(known))
    for one in known:
        one.put(out, strings)


def take_all(data: bytes, at: int, strings: Strings) -> tuple[list[Known], int]:
    """Reads what `put_all` wrote; returns the conclusions and the position behind them."""
    count, at = take_uint(data, at)
    known: list[Known] = []
    for _ in range(count):
        one, at = _take(data, at, strings)
        known.append(one)
    return known, at
