"""File names from document ids and clerks' names; codes, settings and texts of the adapter."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.dms.config import options_of
from hub.adapters.dms.folder import ends_whole
from hub.adapters.dms.index import fit
from hub.adapters.dms.names import file_name, safe, stem_of
from hub.codes import AgencyCode, Environment
from hub.errors import ConfigInvalid

FOLDERS = {f"{name}_folder": name for name in ("out", "in", "sent", "failed")}
SHARED = set('/\\:*?"<>|')


@given(st.text(max_size=400), st.text(max_size=30))
def test_any_text_makes_a_safe_name(stem, part):
    """Whatever a document is called: NFC, at most 255 bytes, no separators, not hidden."""
    name = file_name(stem, part)
    assert name == unicodedata.normalize("NFC", name)
    assert len(os.fsencode(name)) <= 255
    assert name.endswith(".edxml")
    assert name[0] not in ". "
    assert not SHARED & set(name)
    assert Path(name).name == name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("H12.15,2026/03/04,125/SKHCN-CĐS", "H12.15,2026_03_04,125_SKHCN-CĐS"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("con.x", "_con.x"),
        ("  ..  ", "_"),
        ("a\u202egnp", "a_gnp"),
        ("vanba\u0306n", "vanb\u0103n"),
    ],
)
def test_safe_names(text, expected):
    """Separators, reserved words, outer blanks and marks that turn text round are replaced."""
    assert safe(text) == expected


def test_stem_in_any_case():
    """``.EDXML`` is the same extension."""
    assert stem_of("a.b.EdXML") == "a.b"


def test_index_texts_are_one_line_and_fit():
    """Index texts lose line breaks and controls, and are cut with an ellipsis."""
    assert fit("a\r\n b\u0085c\x9d", 10) == "a b c"
    assert fit("x" * 11, 10) == "x" * 9 + "…"


@pytest.mark.parametrize(
    ("tail", "whole"),
    [
        (b"</edXML>", True),
        (b"</edXML>\r\n \n", True),
        (b"</x:edXML>", True),
        (b"</edXML", False),
        (b"</edXML:edXMLEnvelope>", False),
        (b"<edXML>", False),
        (b"", False),
    ],
)
def test_last_end_tag_tells_a_whole_packet(tail, whole):
    """A packet without its last end tag was cut off; one with it is whole, however wrong."""
    assert ends_whole(tail) is whole


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"settle_s": -1}, "settle_s"),
        ({"dialect": "delphi"}, "dialect"),
        ({"colour": "red"}, "colour"),
        ({"in_folder": "out"}, "out_folder"),
        ({"organ": {"nam": "x"}}, "organ.nam"),
    ],
)
def test_wrong_settings_are_named(tmp_path, given, key):
    """A wrong key, value or folder is told with its key."""
    with pytest.raises(ConfigInvalid) as caught:
        options_of({**FOLDERS, **given}, tmp_path)
    assert key in caught.value.message("en")


def test_wrong_alias_is_named(tmp_path):
    """An alias that is no agency code is a wrong setting."""
    options = options_of({**FOLDERS, "aliases": ["x y"]}, tmp_path)
    with pytest.raises(ConfigInvalid, match="aliases"):
        options.rules(AgencyCode.parse("H12.15"), Environment.TRIAL)


def test_folders_are_relative_to_the_settings_file(tmp_path):
    """Relative folders lie beside the settings file, absolute ones where they say."""
    options = options_of({**FOLDERS, "in_folder": "/srv/in"}, tmp_path)
    assert options.out_folder == tmp_path.resolve() / "out"
    assert options.in_folder == Path("/srv/in")
