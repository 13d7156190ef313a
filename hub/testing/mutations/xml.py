"""Attacks by XML itself: declarations, comments, encodings, size, depth."""

from __future__ import annotations

from hub.envelope import MAX_ENVELOPE
from hub.testing.mutations.base import Apply, Mutation, mutation, text
from hub.testing.pki import TestPki

UNSEEN = "profile.comment_or_pi"
DOCTYPE = "xml.doctype"
MALFORMED = "xml.malformed"
_ROOT = r"(<(?:\w+:)?Envelope)"
_BODY = r"(<(?:\w+:)?Body[^>]*>)"
_XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
_DECLARED = r"(<\?xml[^>]*\?>\s*)"


def _appended(more: str) -> Apply:
    return lambda raw, _pki: raw + more.encode()


def _doctype(subset: str) -> Apply:
    return text(_DECLARED, rf"\1<!DOCTYPE Envelope {subset}>")


def _declared_as(encoding: str, actually: str | None = None) -> Apply:
    def apply(raw: bytes, _pki: TestPki) -> bytes:
        document = raw.decode().replace("UTF-8", encoding, 1)
        return document.encode(actually or encoding, errors="xmlcharrefreplace")

    return apply


def _bad_utf8(raw: bytes, _pki: TestPki) -> bytes:
    return raw.replace(b"</Header>", b"\xc3\x28</Header>", 1)


_LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))

MUTATIONS: tuple[Mutation, ...] = (
    mutation("comment in the body", text(_BODY, r"\1<!--x-->"), UNSEEN),
    mutation("comment inside a text", text(r"(<Type[^>]*>....)", r"\1<!--x-->"), UNSEEN),
    mutation("comment in the signature", text("(<ds:KeyInfo>)", r"<!--x-->\1"), UNSEEN),
    mutation("comment in DigestValue", text("(<ds:DigestValue>)", r"\1<!--x-->"), UNSEEN),
    mutation("comment in the prolog", text(_DECLARED, r"\1<!--x-->"), UNSEEN),
    mutation("comment in the epilog", _appended("<!--x-->"), UNSEEN),
    mutation("instruction in the body", text(_BODY, r"\1<?x y?>"), UNSEEN),
    mutation("instruction in the prolog", text(_DECLARED, r"\1<?x y?>"), UNSEEN),
    mutation("instruction in the epilog", _appended("<?x y?>"), UNSEEN),
    mutation("xsi:type", text(r"(<(?:\w+:)?Body)", rf'\1 {_XSI} xsi:type="x"'), UNSEEN),
    mutation("xsi:schemaLocation",
             text(_ROOT, rf'\1 {_XSI} xsi:schemaLocation="urn:x http://198.51.100.1/x"'), UNSEEN),
    mutation("xml:base", text(_ROOT, r'\1 xml:base="http://198.51.100.1/"'), UNSEEN),
    mutation("xml:id", text(_ROOT, r'\1 xml:id="x"'), UNSEEN),
    mutation("xml:space", text(r"(<(?:\w+:)?Body)", r'\1 xml:space="preserve"'), UNSEEN),
    mutation("DOCTYPE", _doctype(""), DOCTYPE),
    mutation("DOCTYPE from the web", _doctype('SYSTEM "http://198.51.100.1/x.dtd"'), DOCTYPE),
    mutation("entity of a file", _doctype('[<!ENTITY f SYSTEM "file:///etc/passwd">]'), DOCTYPE),
    mutation("a billion laughs", _doctype(f'[<!ENTITY l0 "ha">{_LAUGHS}]'), DOCTYPE),
    mutation("undeclared entity", text(_BODY, r"\1&x;"), MALFORMED),
    mutation("UTF-16", _declared_as("UTF-16"), "xml.encoding"),
    mutation("declared as ISO-8859-1", _declared_as("ISO-8859-1", "utf-8"), "xml.encoding"),
    mutation("bytes that are not UTF-8", _bad_utf8, "xml.encoding"),
    mutation("cut in the middle", lambda raw, _pki: raw[: len(raw) // 2], MALFORMED),
    mutation("cut before the end", lambda raw, _pki: raw[:-1], MALFORMED),
    mutation("text behind the end", _appended("x"), MALFORMED),
    mutation("two documents", lambda raw, _pki: raw + raw[raw.index(b"<Envelope") :], MALFORMED),
    mutation("NUL", text(_BODY, r"\1\0"), MALFORMED),
    mutation("reference to U+0000", text(_BODY, r"\1&#0;"), MALFORMED),
    mutation("undeclared prefix", text(_BODY, r"\1<p:x/>"), MALFORMED),
    mutation("relative namespace URI", text(_BODY, r'\1<x xmlns="relative"/>'), MALFORMED),
    mutation("attribute twice", text(r'( version="1")', r"\1\1"), MALFORMED),
    mutation("10,000 levels", text(_BODY, r"\1" + "<x>" * 10_000 + "</x>" * 10_000),
             "xml.too_deep"),
    mutation("33 attributes", text(r"(<(?:\w+:)?Body)", r"\1" + "".join(
        f' a{n}="x"' for n in range(33))), "xml.too_deep"),
    mutation("more than 8 MiB", _appended(" " * MAX_ENVELOPE), "xml.too_large"),
    mutation("nothing", lambda _raw, _pki: b"", MALFORMED),
)  # fmt: skip
