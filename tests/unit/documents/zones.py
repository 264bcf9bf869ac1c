"""ICAO's own specimens (Doc 9303 parts 4 to 7), and zones of people who do not exist."""

from __future__ import annotations

from streams.documents.checkdigit import check_digit

TD3 = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10"
TD1 = "I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6\nERIKSSON<<ANNA<MARIA<<<<<<<<<<"
TD2 = "I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\nD231458907UTO7408122F1204159<<<<<<<6"
MRV_A = "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL8988901C4XXX4009078F96121096ZE184226B<<<<<<"
MRV_B = "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\nL8988901C4XXX4009078F9612109<<<<<<<<"
TD1_LONG = "I<UTOD23145890<7349<<<<<<<<<<<\n3407127M9507122UTO<<<<<<<<<<<2\nSTEVENSON<<PETER<<<<<<<<<<<<<<"


def passport(
    number: str,
    *,
    issuer: str = "UZB",
    names: str = "KARIMOV<<ANVAR",
    citizenship: str = "",
    born: str = "900531",
    sex: str = "M",
    expires: str = "300101",
    personal: str = "",
) -> str:
    """Returns the zone of a passport whose check digits fit."""
    first = f"P<{issuer}{names}".ljust(44, "<")[:44]
    short = number.ljust(9, "<")
    left = short + check_digit(short) + (citizenship or issuer) + born + check_digit(born)
    right = expires + check_digit(expires)
    optional = personal.ljust(14, "<")
    second = left + sex + right + optional + (check_digit(optional) if personal else "<")
    return f"{first}\n{second}{check_digit(second[:10] + second[13:20] + second[21:43])}"
