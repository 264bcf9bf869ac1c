"""What is wrong with a document's data, said without repeating them."""

from __future__ import annotations


class DocumentError(ValueError):
    """One part of a document cannot be right.

    Args:
        field: the field at fault, e.g. ``mrz`` or ``iin``.
        expected: what it should have been: a form, or the one check digit that would fit.
        came: what it was, in words; never the data.
    """

    def __init__(self, field: str, expected: str, came: str) -> None:
        super().__init__(f"{field}: expected {expected}, got {came}")
        self.field = field
        self.expected = expected
        self.came = came
