"""The only XML parser: what it refuses, exactly where its limits lie, and that it reads UTF-8."""

from __future__ import annotations

import io
import socket

import pytest

from hub import safexml
from hub.errors import (
    XmlDoctype,
    XmlEncoding,
    XmlMalformed,
    XmlTooDeep,
    XmlTooLarge,
)
from hub.safexml import DOCUMENT, ENVELOPE, MIB, Limits, parse, stream

LAUGHS = b"".join(
    [
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY l0 "ha">',
        *(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10)),
        b"]><a>&l9;</a>",
    ]
)
EXTERNAL = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
UTF7 = b'encoding="UTF-7"?>+ADwAIQ-DOCTYPE a [+ADw-+ACE-ENTITY e "boo"+AD4-]+AD4-<a>+ACY-e;</a>'


class Seen:
    """Writes down what the stream tells."""

    def __init__(self):
        self.told = []

    def start(self, tag, attributes, prefixes):
        self.told.append(("start", tag, dict(attributes)))

    def data(self, text):
        self.told.append(("data", text))

    def end(self, tag):
        self.told.append(("end", tag))

    @property
    def text(self):
        return "".join(one[1] for one in self.told if one[0] == "data")


def streamed(data, limits=ENVELOPE):
    """Read by the stream and return what it told."""
    seen = Seen()
    stream(io.BytesIO(data), seen, limits)
    return seen


both = pytest.mark.parametrize("read", [parse, streamed], ids=["parse", "stream"])


# --- limits, at their edge ------------------------------------------------------------------------


@both
def test_size_ends_at_8_mib(read):
    """8 MiB are read, one byte more is refused before anything is parsed."""
    fit = b"<a>" + b"x" * (8 * MIB - 7) + b"</a>"
    assert len(fit) == ENVELOPE.max_bytes
    read(fit)
    with pytest.raises(XmlTooLarge) as caught:
        read(fit + b"\n")
    assert caught.value.facts["limit"] == 8 * MIB


@both
def test_a_document_may_have_50_mib_in_one_text(read):
    """Partners' documents go to 50 MiB, beyond libxml2's own 10,000,000 characters a text."""
    fit = b"<a>" + b"x" * (50 * MIB - 7) + b"</a>"
    read(fit, DOCUMENT)
    with pytest.raises(XmlTooLarge):
        read(fit + b" ", DOCUMENT)


def test_libxml2s_own_limit_on_a_text_is_told_as_a_limit():
    """Where the size allows more than 10,000,000 characters but ``huge`` is off: no mystery."""
    with pytest.raises(XmlTooDeep, match="too long"):
        parse(b"<a>" + b"x" * 10_000_001 + b"</a>", Limits(max_bytes=50 * MIB))


@both
def test_depth_ends_at_64(read):
    """The root is level 1; level 64 is read, level 65 refused."""
    read(b"<a>" * 64 + b"</a>" * 64)
    with pytest.raises(XmlTooDeep):
        read(b"<a>" * 65 + b"</a>" * 65)


@pytest.mark.parametrize("levels", [256, 257, 2048, 10_000, 1_000_000])
@pytest.mark.parametrize("limits", [ENVELOPE, DOCUMENT], ids=["envelope", "document"])
@both
def test_any_depth_is_the_same_refusal(levels, limits, read):
    """Whether libxml2's limit or ours bites first, the code is the same."""
    with pytest.raises(XmlTooDeep):
        read(b"<a>" * levels + b"</a>" * levels, limits)


@both
def test_attributes_end_at_32(read):
    """32 attributes on an element are read, 33 refused; namespace declarations do not count."""
    names = [b' a%d=""' % n for n in range(33)]
    spaces = b"".join(b' xmlns:n%d="u"' % n for n in range(40))
    read(b"<r><a" + b"".join(names[:32]) + spaces + b"/></r>")
    with pytest.raises(XmlTooDeep):
        read(b"<r>\n<a" + b"".join(names) + b"/></r>")


@both
def test_elements_end_at_100_000(read):
    """The root counts too."""
    read(b"<r>" + b"<a/>" * 99_999 + b"</r>")
    with pytest.raises(XmlTooDeep):
        read(b"<r>" + b"<a/>" * 100_000 + b"</r>")


def test_two_million_elements_are_refused_without_a_tree(monkeypatch):
    """8 MiB of ``<a/>`` would make a tree of 250 MB: counting the tags refuses it before."""

    def never(*_arguments):
        pytest.fail("parsed")

    monkeypatch.setattr(safexml.etree, "fromstring", never)
    with pytest.raises(XmlTooDeep):
        parse(b"<r>" + b"<a/>" * (2 * MIB - 2) + b"</r>")


def test_the_place_of_what_is_too_much():
    """Line of the first element that lies too deep, is too wide or one too many."""
    deep = b"<a>\n" * 70 + b"</a>" * 70
    wide = b"<r>\n<b/>\n<a " + b" ".join(b'a%d=""' % n for n in range(40)) + b"/>\n</r>"
    many = b"<r>\n" + b"<a/>\n" * 20 + b"</r>"
    for data, limits, line in (
        (deep, ENVELOPE, 65),
        (wide, ENVELOPE, 3),
        (many, Limits(max_elements=10), 11),
    ):
        with pytest.raises(XmlTooDeep) as caught:
            parse(data, limits)
        assert caught.value.place.line == line


def test_a_name_of_60_000_characters_is_a_limit():
    """libxml2's limit on names is told as one."""
    with pytest.raises(XmlTooDeep, match="Name too long"):
        parse(b"<" + b"a" * 60_000 + b"/>")


@pytest.mark.parametrize("word", ["depth", "huge", "Excessive"])
def test_a_name_cannot_choose_the_error(word):
    """The kind of a parser's error is told by its number, never by words of the document."""
    with pytest.raises(XmlMalformed):
        parse(f"<{word}><b></{word}>".encode())


# --- document types and entities ------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        LAUGHS,
        EXTERNAL,
        b"<!DOCTYPE a><a/>",
        b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd"><a/>',
        b'<!DOCTYPE a PUBLIC "-//X" "x.dtd"><a/>',
        b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- c --><?p i?>\n<!DOCTYPE a><a/>",
        b"<!-- <a> --><!DOCTYPE a [<!ATTLIST a b CDATA 'c'>]><a/>",
        b"<!doctype a><a/>",
        b"<! DOCTYPE a><a/>",
        b"<a/><!DOCTYPE a>",
        b"<a><!DOCTYPE a></a>",
        b"<a><!ENTITY e 'x'></a>",
    ],
)
def test_no_document_type_and_no_entity_declaration(data):
    """Wherever it stands and however it is written, it is refused as what it is."""
    with pytest.raises(XmlDoctype):
        parse(data)


@pytest.mark.parametrize(
    "data", [LAUGHS, EXTERNAL, b"<!--" + b"x" * 70_000 + b"-->" + EXTERNAL], ids=["1", "2", "late"]
)
def test_the_stream_refuses_document_types_too(data):
    """The stream stops at the DOCTYPE; nothing is expanded, nothing outside is read."""
    with pytest.raises(XmlDoctype):
        streamed(data)


def test_the_line_of_a_document_type():
    """A person is shown where it stands."""
    with pytest.raises(XmlDoctype) as caught:
        parse(b"<?xml version='1.0'?>\n\n<!DOCTYPE a><a/>")
    assert caught.value.place.line == 3


@pytest.mark.parametrize("data", [b"<a><![CDATA[<!DOCTYPE x>]]></a>", b"<a><!-- <!ENTITY --></a>"])
def test_text_that_only_speaks_of_it_is_text(data):
    """In CDATA and comments the same letters declare nothing."""
    assert parse(data).tag == "a"


@both
def test_only_the_five_entities_of_xml(read):
    """The predefined entities and numbers are text; any other name is malformed."""
    read(b"<a>&lt;&gt;&amp;&quot;&apos;&#7885;&#x1EB7;</a>")
    for bad in (b"<a>&nbsp;</a>", b"<a b='&x;'/>", b"<a>&#0;</a>", b"<a>&#xD800;</a>"):
        with pytest.raises(XmlMalformed):
            read(bad)


def test_no_socket_and_no_file_is_opened(monkeypatch):
    """Schema hints, XInclude and style sheets of a document lead nowhere."""

    def never(*_arguments):
        pytest.fail("opened a socket")

    monkeypatch.setattr(socket, "socket", never)
    root = parse(
        b'<?xml-stylesheet href="http://127.0.0.1:9/a.xsl"?>'
        b'<a xmlns:xi="http://www.w3.org/2001/XInclude"'
        b' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        b' xsi:schemaLocation="urn:a http://127.0.0.1:9/a.xsd">'
        b'<xi:include href="/etc/passwd" parse="text"/></a>'
    )
    assert "root:" not in "".join(root.itertext())


# --- encodings ------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize(
    "data",
    [
        "<a>ệ</a>".encode(),
        "\ufeff<a>ệ</a>".encode(),
        '<?xml version="1.0" encoding="UTF-8"?><a>ệ</a>'.encode(),
        "<?xml version='1.0' encoding='utf-8' standalone='yes' ?>\n<a>ệ</a>".encode(),
        '\ufeff<?xml version = "1.0"?><a>ệ</a>'.encode(),
    ],
)
def test_utf_8_is_read_with_or_without_mark(data, read):
    """A byte-order mark is allowed, a declaration too; the text is what was written."""
    read_text = read(data).text
    assert read_text == "ệ"


@both
@pytest.mark.parametrize(
    "data",
    [
        "\ufeff<a/>".encode("utf-16"),
        "<a/>".encode("utf-16-le"),
        "<a/>".encode("utf-16-be"),
        "\ufeff<a/>".encode("utf-32"),
        "<a/>".encode("utf-32-be"),
        "<?xml version='1.0'?><a/>".encode("cp037"),
        b'<?xml version="1.0" encoding="UTF-16"?><a/>',
        b'<?xml version="1.0" encoding="ISO-8859-1"?><a/>',
        b'<?xml version="1.0" encoding="US-ASCII"?><a/>',
        b"\xef\xbb\xbf<?xml version='1.0' encoding='windows-1258'?><a/>",
        b'<?xml version="1.0" ' + UTF7,
        b"<a>\xff</a>",
        b"<a>\xc0\xbca/\xc0\xbe</a>",
        b"<a>\xed\xa0\x80</a>",
        b"<a>\xf4\x90\x80\x80</a>",
        b"<a>\xe1\xbb</a>",
    ],
)
def test_everything_else_is_refused(data, read):
    """Other encodings, overlong forms, surrogates, truncated characters: ``xml.encoding``."""
    with pytest.raises(XmlEncoding):
        read(data)


@both
@pytest.mark.parametrize("rest", [UTF7, b'encoding="ISO-8859-1"?><a>\xc3\xa9</a>'])
def test_a_far_declaration_cannot_change_the_reading(rest, read):
    """Blanks before ``encoding=`` do not hide it: the bytes would read otherwise, a DTD even."""
    with pytest.raises(XmlMalformed, match="declaration"):
        read(b'<?xml version="1.0"' + b" " * 300 + rest)


@both
@pytest.mark.parametrize(
    "start",
    [
        b'<?xml version="1.1"?>',
        b'<?xml version="1.7"?>',
        b'<?xml version="2.0"?>',
        b'<?xml encoding="UTF-8"?>',
        b'<?xml version="1.0" encoding="UTF-8" encoding="UTF-7"?>',
        b'<?xml version="1.0" standalone="maybe"?>',
        b'<?xml version="1.0" a="b"?>',
        b'<?xml version="1.0"',
        b'\n<?xml version="1.0"?>',
    ],
)
def test_one_declaration_is_known(start, read):
    """Version 1.1 ends lines at U+0085; the signature covers no declaration, so none is lenient."""
    with pytest.raises(XmlMalformed):
        read(start + b"<a/>")


def test_the_place_of_a_bad_byte():
    """The line of the first byte that is not UTF-8, and its offset."""
    with pytest.raises(XmlEncoding, match="byte 8") as caught:
        parse(b"<a>\n\n<b>\xff</b></a>")
    assert caught.value.place.line == 3


@both
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" ",
        b"\xef\xbb\xbf",
        b"\xef\xbb\xbf\xef\xbb\xbf<a/>",
        b"a",
        b"<a>",
        b"<a></b>",
        b"<a/><a/>",
        b"<a/>x",
        b"<a/>\x00",
        b"<a>\x00</a>",
        b"<a>\x01</a>",
        b"<a>\xef\xbf\xbe</a>",
        b"<a b=1/>",
        b'<a b="1" b="2"/>',
        b'<a xmlns:p="u" xmlns:q="u" p:b="1" q:b="2"/>',
        b"<p:a/>",
        b'<a b="<"/>',
        b"<a>]]></a>",
        b"<a",
        b"<!-- -- --><a/>",
    ],
)
def test_what_is_not_well_formed(data, read):
    """Every violation of XML and of namespaces is one code."""
    with pytest.raises(XmlMalformed):
        read(data)


def test_line_and_column_of_a_fault():
    """A person finds the fault by line and column."""
    with pytest.raises(XmlMalformed) as caught:
        parse(b"<a>\n  <b>\n</a>")
    assert caught.value.place.line == 3
    assert int(caught.value.place.column) > 0


def test_comments_and_instructions_are_seen_wherever_they_stand():
    """The tree keeps them, prolog and epilog included, so that the profile can refuse them."""
    root = parse(b"<!-- a --><?b c?><r><!-- d --><?e f?></r><!-- g --><?h i?>")
    found = root.getroottree().xpath("//comment() | //processing-instruction()")
    assert len(found) == 6
    assert parse(b"<r>1<![CDATA[<2>]]>3</r>").text == "1<2>3"


def test_the_stream_passes_over_comments_and_refuses_instructions():
    """A partner's document may hold remarks; nothing in it may give orders."""
    assert streamed(b"<!-- a --><r>1<!-- b -->2</r><!-- c -->").text == "12"
    with pytest.raises(XmlMalformed, match="processing instructions"):
        streamed(b"<r><?php echo 1 ?></r>")
