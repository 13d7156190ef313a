"""The files of samples/encodings come out of the declared codec as their README says."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.adapters import text_tcvn3
from hub.adapters.text import Encoding, comparison_key, damage, decode, encode
from hub.errors import SinkRefused, TextDamaged

SAMPLES = Path(__file__).parent / "encodings"
REFERENCE = (SAMPLES / "so_theo_doi.utf8-nfc.csv").read_bytes().decode("utf-8")
LETTERS = "".join(text_tcvn3.ENCODE).replace("\x7f", "").replace("?", "")  # "?a" is damage
PRINTABLE = "".join(char for char in LETTERS if char.isprintable() or char == "\u00a0")


def _sample(name: str) -> bytes:
    return (SAMPLES / f"so_theo_doi.{name}.csv").read_bytes()


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("utf8-nfc", Encoding.UTF8),
        ("utf8-nfd", Encoding.UTF8),
        ("utf8-bom", Encoding.UTF8),
        ("tcvn3", Encoding.TCVN3),
        ("tcvn3-glyphs-in-utf8", Encoding.TCVN3_GLYPHS),
    ],
)
def test_recoverable_sample_gives_the_reference(name, encoding):
    """Every recoverable sample of a supported encoding reads as the reference, in NFC."""
    assert decode(_sample(name), encoding, "c") == REFERENCE


def test_eth_is_refused_unless_the_column_declares_it():
    """U+00D0 for Đ is refused, and folded where the column is declared to have it."""
    raw = _sample("eth-instead-of-dstroke.utf8")
    with pytest.raises(TextDamaged) as caught:
        decode(raw, Encoding.UTF8, "chu_ho_so")
    assert caught.value.place.column == "chu_ho_so"
    assert decode(raw, Encoding.UTF8, "c", fold_eth=True) == REFERENCE
    assert comparison_key(raw.decode()) == comparison_key(REFERENCE)


def test_tone_placement_has_the_same_key_only():
    """Hoạ and Họa are two texts with one comparison key."""
    text = decode(_sample("tone-placement.utf8"), Encoding.UTF8, "c")
    assert text != REFERENCE
    assert comparison_key(text) == comparison_key(REFERENCE)
    assert comparison_key("thuỷ  Ủy\u00a0ban") == comparison_key("THỦY Uỷ ban")
    assert comparison_key("má") != comparison_key("mà")
    assert comparison_key("mơ") != comparison_key("mo")


@pytest.mark.parametrize(
    "name",
    [
        "varchar-questionmarks",
        "utf8-double",
        "utf8-double-cp1252",
        "cp1258",
        "viscii",
        "utf16le-bom",
    ],
)
@pytest.mark.parametrize("encoding", list(Encoding))
def test_wrong_declaration_is_refused_not_guessed(name, encoding):
    """Lost letters and undeclared encodings are refused, naming column and encoding."""
    with pytest.raises(TextDamaged) as caught:
        decode(_sample(name), encoding, "ten")
    assert caught.value.facts == {"column": "ten", "encoding": encoding.value}


def test_tcvn3_declared_as_unicode_is_refused():
    """TCVN3 glyphs that a column declared UTF-8 holds are seen by the soft hyphen."""
    with pytest.raises(TextDamaged):
        decode(_sample("tcvn3-glyphs-in-utf8").decode(), Encoding.UTF8, "ten")


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("Nguy\ufffdn", "control"),
        ("a\x85b", "control"),
        ("a\x00b", "control"),
        ("H\u00adường", "soft hyphen"),
        ("Ð\u1eb7ng", "U+00D0"),
        ("Nguy?n V?n", "question"),
    ],
)
def test_damage_is_named(text, sign):
    """Each sign of an earlier accident is named."""
    assert sign in damage(text)


@pytest.mark.parametrize(
    "text", ["Ai? Không biết.", "https://a.invalid/x?id=1", "", "a\tb\r\nc", "−"]
)
def test_honest_text_has_no_damage(text):
    """Question marks at a word's end, addresses and blanks are no damage."""
    assert damage(text) == ""


def test_entities_are_resolved_once_and_only_when_declared():
    """``&aacute;`` becomes á in a declared column; a doubly escaped one loses one layer only."""
    raw = "X&aacute;c nh&#7853;n &amp;amp;"
    assert decode(raw, Encoding.UTF8, "c", entities=True) == "Xác nhận &amp;"
    assert decode(raw, Encoding.UTF8, "c") == raw


def test_capital_with_tone_is_refused_when_written_as_tcvn3():
    """A character that TCVN3 lacks is refused by name, never written as a question mark."""
    with pytest.raises(SinkRefused) as caught:
        encode("Ủy ban", Encoding.TCVN3, "ghi_chu")
    assert "U+1EE6" in str(caught.value)
    assert caught.value.place.column == "ghi_chu"


def test_letter_u_horn_is_byte_ad():
    """'ư' is AD, the soft hyphen elsewhere; 'Đặng' is A7 C6 6E 67 (sheet of measured facts)."""
    assert encode("ư", Encoding.TCVN3, "c") == b"\xad"
    assert encode("Đặng", Encoding.TCVN3, "c") == bytes.fromhex("a7c66e67")
    assert encode("Hường", Encoding.TCVN3_GLYPHS, "c") == "H\u00adêng"


@given(st.text(alphabet=PRINTABLE, max_size=60))
def test_tcvn3_round_trip(text):
    """What TCVN3 can write, it reads back unchanged, as bytes and as glyphs in Unicode."""
    for encoding in (Encoding.TCVN3, Encoding.TCVN3_GLYPHS):
        assert decode(encode(text, encoding, "c"), encoding, "c") == text


def test_iconv_agrees_on_every_byte():
    """Glibc's TCVN5712-1 gives the same character for every byte of the VN3 table."""
    for byte, char in text_tcvn3.DECODE.items():
        if byte < 0x20 or byte == 0x7F:
            continue
        done = subprocess.run(
            ["iconv", "-f", "TCVN5712-1", "-t", "UTF-8"],
            input=bytes([byte]),
            capture_output=True,
            check=True,
        )
        assert done.stdout.decode() == char, hex(byte)


@given(st.binary(max_size=80), st.sampled_from(list(Encoding)), st.booleans())
def test_any_bytes_give_clean_text_or_one_error(raw, encoding, entities):
    """Whatever bytes a column holds: clean NFC text, or ``TextDamaged``, nothing else."""
    try:
        text = decode(raw, encoding, "c", entities=entities)
    except TextDamaged:
        return
    assert damage(text) == ""
