from __future__ import annotations

import pytest

from streams.documents import DocumentError
from streams.documents.iin import iin_check_digit, read_iin


def test_a_number_says_birth_date_century_and_sex() -> None:
    # The example number of a public validator, and two made here.
    assert (read_iin("791028302728").born_on, read_iin("791028302728").sex) == ("1979-10-28", "M")
    for seventh, born, sex in (("1", "1879", "M"), ("4", "1979", "F"), ("6", "2079", "F")):
        eleven = f"791028{seventh}0027"
        digit = iin_check_digit(eleven)
        assert digit is not None
        found = read_iin(eleven + digit)
        assert (found.born_on[:4], found.sex) == (born, sex)


def test_the_second_pass_counts_where_the_first_leaves_ten() -> None:
    # Weights 1 to 11 leave 10, weights 3 to 11, 1, 2 leave the digit; found by trying, checked by the sums written out here.
    for serial in range(10_000):
        eleven = f"9005313{serial:04d}"
        first = sum(int(digit) * weight for digit, weight in zip(eleven, range(1, 12), strict=True)) % 11
        second = sum(int(d) * w for d, w in zip(eleven, [3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2], strict=True)) % 11
        expected = str(first) if first < 10 else str(second) if second < 10 else None
        assert iin_check_digit(eleven) == expected
        if expected is None:
            with pytest.raises(DocumentError, match="some check digit fits"):
                read_iin(eleven + "0")


@pytest.mark.parametrize(
    ("number", "said"),
    [
        ("", "twelve digits"),
        ("79102830272", "twelve digits"),
        ("79102830272x", "twelve digits"),
        ("٧٩١٠٢٨٣٠٢٧٢٨", "twelve digits"),
        ("791328302728", "a birth date"),
        ("790229302728", "a birth date"),
        ("791028702728", "7th digit"),
        ("791028002728", "7th digit"),
        ("791028302727", "check digit 8"),
    ],
)
def test_what_is_wrong_is_named_and_the_number_not_repeated(number: str, said: str) -> None:
    with pytest.raises(DocumentError, match=said) as caught:
        read_iin(number)
    assert not number or number not in str(caught.value)
