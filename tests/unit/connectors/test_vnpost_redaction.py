"""Personal numbers never leave in free text; everything else does."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.adapters.fields import clean
from hub.adapters.redaction import redact


@pytest.mark.parametrize(
    "text",
    [
        "CCCD 000000000001",
        "CMND:000000001.",
        "000 000 000 001",
        "000.000.001",
        "số000000000001và",
    ],
)
def test_personal_number_is_stripped(text):
    """12 and 9 digits go, however they are grouped, also glued to letters."""
    assert not re.search(r"\d", redact(text))


@pytest.mark.parametrize(
    "text",
    [
        "gọi 0900000000",
        "thu hộ lệ phí 30000",
        "đơn BC-H99.19-260302-0031",
        "000.00.19.H99-260304-0007",
        "mã bưu gửi RX000000000VN"[:14],
    ],
)
def test_other_digits_stay(text):
    """Phones of ten digits, amounts, order numbers and dossier codes stay."""
    assert redact(text) == text


@given(st.text(alphabet="0123456789 .-abcđ", max_size=60))
def test_nothing_that_looks_like_one_is_left(text):
    """Whatever the text: no run of exactly 9 or 12 digits is left in it."""
    assert not re.search(r"(?<!\d)(\d{12}|\d{9})(?!\d)", redact(text))


def test_empty_fields_are_left_out_at_every_depth():
    """Absent is absent, never an empty element."""
    assert clean({"A": "", "B": {"C": "", "D": {}}, "E": "x", "F": []}) == {"E": "x"}
