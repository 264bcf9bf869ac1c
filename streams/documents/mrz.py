"""Machine-readable zones: cards (TD1, TD2), passports (TD3) and visas (MRV-A, MRV-B), parsed and verified.

Every check digit is verified before anything is believed. An error names the field, and the digit that would fit.

**Source**: ICAO Doc 9303 parts 3 to 7. The places of the fields are the table `LAYOUTS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from streams.documents.checkdigit import check_digit
from streams.documents.fault import DocumentError
from streams.documents.iin import read_iin
from streams.documents.latin import latin
from streams.documents.model import Kind, Sex, TravelDocument
from streams.documents.number import canonical_country, canonical_number

FILLER = "<"
_CHARACTERS = re.compile(r"[A-Z0-9<]+")

Slot = tuple[int, int, int]
"""Line, first place, place behind the last; counted from 0."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a format has its fields; a check digit stands right behind what it verifies.

    The second lines of all formats of two lines have the same places; a card of three lines has its own.

    Attributes:
        name: as ICAO 9303 calls it.
        lines: how many.
        width: characters of a line.
        codes: letters a document code may begin with.
        names: holder's names.
        optional: what the issuer puts there; on cards also the rest of a long number.
        number: document number.
        citizenship: holder's state.
        born: YYMMDD.
        sex: one place.
        expires: YYMMDD.
        personal: optional data with a check digit of their own (passports).
        composite: what the last digit verifies together; empty for visas.
        composite_at: where that digit stands.
    """

    name: Literal["TD1", "TD2", "TD3", "MRV-A", "MRV-B"]
    lines: int
    width: int
    codes: str
    names: Slot
    optional: Slot
    number: Slot = (1, 0, 9)
    citizenship: Slot = (1, 10, 13)
    born: Slot = (1, 13, 19)
    sex: Slot = (1, 20, 21)
    expires: Slot = (1, 21, 27)
    personal: bool = False
    composite: tuple[Slot, ...] = ()
    composite_at: Slot = (0, 0, 0)


LAYOUTS = (
    Layout(
        "TD1", 3, 30, "ACI", names=(2, 0, 30), number=(0, 5, 14), citizenship=(1, 15, 18), born=(1, 0, 6), sex=(1, 7, 8),
        expires=(1, 8, 14), optional=(0, 15, 30), composite=((0, 5, 30), (1, 0, 7), (1, 8, 15), (1, 18, 29)),
        composite_at=(1, 29, 30),
    ),
    Layout(
        "TD2", 2, 36, "ACI", names=(0, 5, 36), optional=(1, 28, 35),
        composite=((1, 0, 10), (1, 13, 20), (1, 21, 35)), composite_at=(1, 35, 36),
    ),
    Layout(
        "TD3", 2, 44, "P", names=(0, 5, 44), optional=(1, 28, 42), personal=True,
        composite=((1, 0, 10), (1, 13, 20), (1, 21, 43)), composite_at=(1, 43, 44),
    ),
    Layout("MRV-A", 2, 44, "V", names=(0, 5, 44), optional=(1, 28, 44)),
    Layout("MRV-B", 2, 36, "V", names=(0, 5, 36), optional=(1, 28, 36)),
)  # fmt: skip

_At = Callable[[Slot], str]
_KINDS: dict[str, Kind] = {"TD1": "identity_card", "TD2": "identity_card", "TD3": "passport"}


@dataclass(frozen=True, slots=True, repr=False)
class Zone:
    """A zone whose check digits all fit.

    Attributes:
        format: of `LAYOUTS`.
        document: what it says; of a visa, the visa's own number and issuer.
    """

    format: str
    document: TravelDocument

    @property
    def is_visa(self) -> bool:
        """Whether it is a visa's: its number is not the passport's."""
        return self.format.startswith("MRV")


def read_mrz(text: str, year: int) -> Zone:
    """Returns what a machine-readable zone says.

    Args:
        text: its lines, one below the other, or all in one.
        year: the year it is read in: years in a zone have two digits, and nobody was born later.

    Raises:
        DocumentError: it is no zone, or a check digit does not fit.
    """
    lines, layout = _laid_out(text)

    def at(slot: Slot) -> str:
        line, first, behind = slot
        return lines[line][first:behind]

    number = _number(layout, at)
    born = _verified(layout.born, at, "date of birth")
    expires = _verified(layout.expires, at, "date of expiry")
    optional = at(layout.optional)
    if layout.personal:
        _personal_verified(layout, at)
    if layout.composite:
        together = "".join(at(slot) for slot in layout.composite)
        _expect(check_digit(together), at(layout.composite_at), "mrz", "the composite check digit")
    issuer = canonical_country(lines[0][2:5])
    surname, given = _names(at(layout.names))
    has_personal = _holds_iin(optional) if issuer == "KAZ" else layout.personal
    personal = optional.strip(FILLER).replace(FILLER, "") if has_personal else ""
    document = TravelDocument(
        issuing_country=issuer,
        number=canonical_number(number),
        surname=surname,
        given_names=given,
        citizenship=canonical_country(at(layout.citizenship)),
        born_on=_born(born, year),
        sex=_sex(at(layout.sex)),
        expires_on=_expires(expires, year),
        personal_number=personal,
        kind=_KINDS.get(layout.name, ""),
    )
    return Zone(layout.name, _with_iin(document) if document.iin else document)


def _laid_out(text: str) -> tuple[list[str], Layout]:
    lines = [line for line in re.split(r"\s+", text.upper().replace("«", "<<").strip()) if line]
    whole = "".join(lines)
    if not _CHARACTERS.fullmatch(whole):
        raise DocumentError("mrz", "letters A to Z, digits and <", "another character")
    fitting = [layout for layout in LAYOUTS if layout.lines * layout.width == len(whole)]
    if not fitting:
        raise DocumentError("mrz", "3 lines of 30, or 2 lines of 36 or 44 characters", f"{len(whole)} characters in all")
    layout = next((one for one in fitting if whole[0] in one.codes), None)
    if layout is None:
        codes = " or ".join(sorted({code for one in fitting for code in one.codes}))
        raise DocumentError("mrz", f"a document code that begins with {codes}", "another")
    width = layout.width
    if len(lines) > 1 and any(len(line) != width for line in lines):
        raise DocumentError("mrz", f"lines of {width} characters each", "lines of other lengths")
    return [whole[first : first + width] for first in range(0, len(whole), width)], layout


def _expect(fitting: str, came: str, field: str, what: str) -> None:
    if came != fitting:
        raise DocumentError(field, f"{what} to be {fitting}", "another")


def _verified(slot: Slot, at: _At, what: str) -> str:
    line, _, behind = slot
    value = at(slot)
    _expect(check_digit(value), at((line, behind, behind + 1)), "mrz", f"the check digit of the {what}")
    return value


def _number(layout: Layout, at: _At) -> str:
    """Returns the document number; a card's longer one goes on in the optional data (ICAO 9303 part 5, section 4.2.4)."""
    line, _, behind = layout.number
    first = at(layout.number)
    rest = at(layout.optional)
    if at((line, behind, behind + 1)) == FILLER and layout.name in ("TD1", "TD2") and rest[0] != FILLER:
        more = rest.partition(FILLER)[0]
        _expect(check_digit(first + FILLER + more[:-1]), more[-1], "mrz", "the check digit of the document number")
        return first + more[:-1]
    return _verified(layout.number, at, "document number")


def _personal_verified(layout: Layout, at: _At) -> None:
    line, _, behind = layout.optional
    value, came = at(layout.optional), at((line, behind, behind + 1))
    if not value.strip(FILLER) and came == FILLER:
        return  # a filler may stand for the digit where there is nothing to verify
    _expect(check_digit(value), came, "mrz", "the check digit of the personal number")


def _names(field: str) -> tuple[str, str]:
    surname, _, given = field.partition("<<")
    return latin(surname.replace(FILLER, " ")), latin(given.replace(FILLER, " "))


def _sex(place: str) -> Sex:
    if place == FILLER:
        return "X"
    if place in ("F", "M", "X"):
        return place  # type: ignore[return-value]  # narrowed by the test
    raise DocumentError("mrz", "F, M or < as the sex", "something else")


def _born(digits: str, year: int) -> str:
    """Returns a birth date; parts unknown to the document are fillers."""
    if digits[:2] == "<<":
        return ""
    short = _two(digits[:2], "date of birth")
    century = year // 100 * 100
    born = century + short if century + short <= year else century - 100 + short
    if digits[2:4] == "<<":
        return f"{born:04d}"
    month = _two(digits[2:4], "date of birth")
    if digits[4:6] == "<<":
        return f"{born:04d}-{month:02d}"
    return _date(born, month, _two(digits[4:6], "date of birth"), "date of birth")


def _expires(digits: str, year: int) -> str:
    """Returns the day of expiry; none for a document without one."""
    if not digits.strip(FILLER):
        return ""
    century = year // 100 * 100
    near = min((century + base + _two(digits[:2], "date of expiry") for base in (-100, 0, 100)), key=lambda one: abs(one - year))
    return _date(near, _two(digits[2:4], "date of expiry"), _two(digits[4:6], "date of expiry"), "date of expiry")


def _two(digits: str, what: str) -> int:
    if not digits.isdecimal():
        raise DocumentError("mrz", f"digits in the {what}", "something else")
    return int(digits)


def _date(year: int, month: int, day: int, what: str) -> str:
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        raise DocumentError("mrz", f"a day of the calendar as the {what}", "none") from None


def _holds_iin(optional: str) -> bool:
    """Returns whether optional data are a number of Kazakhstan's: its cards and passports have it there, older ones have none."""
    digits = optional.strip(FILLER)
    return len(digits) == 12 and digits.isdecimal()


def _with_iin(document: TravelDocument) -> TravelDocument:
    """Returns a document of Kazakhstan whose number of the holder agrees with the rest of the zone."""
    said = read_iin(document.iin, "mrz")
    # The number's own century settles what two digits leave open.
    if document.born_on[2:] != said.born_on[2:]:
        raise DocumentError("mrz", "the same date of birth in the zone and in the individual identification number", "two")
    if document.sex in ("F", "M") and document.sex != said.sex:
        raise DocumentError("mrz", "the same sex in the zone and in the individual identification number", "two")
    return document.with_more(TravelDocument("", "", born_on=said.born_on))
