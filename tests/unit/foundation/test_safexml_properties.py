"""Mutated and random bytes at both readers, and another parser as judge of what they read."""

from __future__ import annotations

import io
import xml.parsers.expat

from hypothesis import example, given
from hypothesis import strategies as st

from hub import safexml
from hub.errors import HubError
from hub.safexml import parse, stream


class Texts:
    """Collects the texts that the stream tells."""

    def __init__(self):
        self.text = ""

    def start(self, tag, attributes, prefixes):
        """Nothing to keep."""

    def data(self, text):
        self.text += text

    def end(self, tag):
        """Nothing to keep."""


def streamed(data):
    """Read by the stream and return the texts."""
    seen = Texts()
    stream(io.BytesIO(data), seen)
    return seen


GOOD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<a xmlns="urn:x" b="ệ">x<b/>&amp;<c>y</c></a>'.encode()
)


def _outcome(read, data):
    try:
        read(data)
    except HubError as error:
        return error.code.split(".")[0]
    return "xml"


@given(
    st.lists(
        st.tuples(
            st.integers(0, len(GOOD)),
            st.integers(0, 6),
            st.one_of(
                st.binary(max_size=6),
                st.sampled_from([b"<!DOCTYPE a>", b"&", b"]]>", b"\x00", b"\xff", b"<?p?>", b"<"]),
            ),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_mutated_bytes_are_read_or_refused(edits):
    """Whatever is cut out and put in, the answer is a tree or an ``xml.*`` error, nothing else."""
    data = GOOD
    for at, length, piece in edits:
        data = data[:at] + piece + data[at + length :]
    assert _outcome(parse, data) == _outcome(streamed, data) == "xml"


@given(st.binary(max_size=200))
@example(b"<?xml")
@example(b"<?xml ")
@example(b"<!")
def test_any_bytes_are_read_or_refused(data):
    """Noise is refused by both readers without another exception."""
    assert _outcome(parse, data) == _outcome(streamed, data) == "xml"


def _expat(data):
    """An independent reader: the tags and texts of Python's own expat."""
    told = []
    reader = xml.parsers.expat.ParserCreate("UTF-8")
    reader.buffer_text = True
    reader.StartElementHandler = lambda tag, attributes: told.append((tag, attributes))
    reader.CharacterDataHandler = told.append
    reader.Parse(data, True)
    return told


names = st.from_regex(r"[a-z]{1,3}", fullmatch=True)
texts = st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn"], exclude_characters='<>&"\r'))
trees = st.recursive(
    st.builds(lambda n, t: f"<{n}>{t}</{n}>", names, texts),
    lambda inner: st.builds(
        lambda n, t, kids: f'<{n} q="{t}">{"".join(kids)}</{n}>', names, texts, st.lists(inner)
    ),
    max_leaves=8,
)


@given(trees)
def test_what_is_read_is_what_another_parser_reads(text):
    """Elements, attributes and texts are those that expat sees: no second reading exists."""
    data = text.encode()
    told = []
    for action, element in safexml.etree.iterwalk(parse(data), events=("start", "end")):
        if action == "start":
            told.append((element.tag, dict(element.attrib)))
            told.extend([element.text] if element.text else [])
        else:
            told.extend([element.tail] if element.tail else [])
    assert told == _expat(data)
    assert streamed(data).text == "".join(one for one in told if isinstance(one, str))
