"""The hub's own facts as AMQP headers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.broker import headers

ANY = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(),
    st.lists(st.integers(), max_size=3), st.dictionaries(st.text(), st.integers(), max_size=3),
)  # fmt: skip
NAMES = st.one_of(
    st.text(max_size=20),
    st.sampled_from([f"x-lt-{name}" for name in (*headers.FIELDS, "other", "", "Delivery")]),
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "delivery": st.text("0123456789abcdef-", max_size=headers.MAX_TEXT),
            "seq": st.integers(0, headers.MAX_NUMBER),
            "attempt": st.integers(0, headers.MAX_NUMBER),
        },
    )
)
def test_what_the_hub_writes_is_read_again(facts) -> None:
    """Encoding and decoding give the same plain facts, under names that begin with x-lt-."""
    encoded = headers.encode(facts)
    assert all(name.startswith("x-lt-") for name in encoded)
    assert headers.decode(encoded) == facts


@given(st.dictionaries(NAMES, ANY))
def test_anything_may_arrive(found) -> None:
    """Whatever headers an agency sends: only known names of the right type and size remain."""
    for name, value in headers.decode(found).items():
        assert type(value) is headers.FIELDS[name]
        assert len(str(value)) <= headers.MAX_TEXT


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seq", True),
        ("seq", -1),
        ("seq", 2**53),
        ("seq", "1"),
        ("attempt", 1.0),
        ("delivery", b"d"),
        ("delivery", "d" * 101),
        ("delivery", "a\nb"),
    ],
)
def test_wrong_types_and_sizes_are_dropped(name: str, value: object) -> None:
    """A foreign value under one of our names is no fact and no error; writing it is an error."""
    assert headers.decode({f"x-lt-{name}": value, "x-lt-seq" if name != "seq" else "y": 7}) in (
        {"seq": 7},
        {},
    )
    with pytest.raises(ValueError, match=name):
        headers.encode({name: value})


def test_unknown_names_are_not_written() -> None:
    """A header that this module does not know never gets out."""
    with pytest.raises(ValueError, match="citizen"):
        headers.encode({"citizen": "079"})


@pytest.mark.parametrize(
    ("found", "redelivered", "expected"),
    [
        ({}, False, 0),
        ({}, True, 1),
        ({"x-delivery-count": 4}, True, 4),
        ({"x-delivery-count": 0}, True, 1),
        ({"x-acquired-count": 3, "x-delivery-count": 1}, True, 3),
        ({"x-delivery-count": "9"}, False, 0),
        ({"x-delivery-count": True}, False, 0),
        ({"x-delivery-count": -2}, False, 0),
    ],
)
def test_redeliveries(found, *, redelivered: bool, expected: int) -> None:
    """The broker's counts of versions 3 and 4, or its flag when it counts nothing."""
    assert headers.redeliveries(found, redelivered=redelivered) == expected
