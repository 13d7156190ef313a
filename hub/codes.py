"""Identifier codes, parsed once and compared by value.

Sources: QCVN 102:2016/BTTTT (old agency code, 13 characters), QĐ 20/2020/QĐ-TTg with
SĐ1:2022 QCVN 102 (new agency code, up to 35 characters), TT 01/2018/TT-VPCP art. 19 (dossier code),
RFC 9562 (UUID). Every parser raises :class:`hub.errors.CodeMalformed`; none repairs a digit.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

from hub.errors import CodeMalformed, CodeTestOnly, printable

MAX_AGENCY_CODE = 35
"""Characters; SĐ1:2022 QCVN 102 raised the width of OrganId from 13 to 35."""
MAX_TYPE = 64
MAX_DOSSIER_CODE = 64
MAX_DOCUMENT_ID = 200


class Environment(StrEnum):
    """The two worlds that never mix; one home of a hub belongs to exactly one."""

    PRODUCTION = "production"
    TRIAL = "trial"

    @classmethod
    def parse(cls, text: str) -> Environment:
        """Return the environment named ``text``; raises ``CodeMalformed``."""
        try:
            return cls(text)
        except ValueError as error:
            raise CodeMalformed(value=_short(text), kind="environment") from error


class CodeKind(StrEnum):
    """The shapes of an agency code, in the order in which they are tried."""

    CENTRE = "centre"
    OLD_FULL = "old_full"
    OLD_SHORT = "old_short"
    NEW = "new"
    ENTERPRISE = "enterprise"
    PARTY = "party"
    TEST = "test"


_SHAPES = (
    (CodeKind.CENTRE, re.compile(r"[0-9]{2}\.[0-9]{2}\.W00")),
    (CodeKind.OLD_FULL, re.compile(r"[0-9]{3}\.[0-9]{2}\.[0-9]{2}\.[A-Z][0-9]{2}")),
    (CodeKind.OLD_SHORT, re.compile(r"[0-9]{2,3}(\.[0-9]{2}){0,2}\.[A-Z][0-9]{2}")),
    (CodeKind.NEW, re.compile(r"[A-Z][0-9]{2}(\.[0-9A-Z]+)*")),
    (CodeKind.ENTERPRISE, re.compile(r"[0-9]{10}")),
    (CodeKind.PARTY, re.compile(r"[0-9]{3}\.A[0-9]{2}\.[0-9]{3}")),
    (CodeKind.TEST, re.compile(r"(?=.*[A-Z]{2})[0-9A-Z]+(\.[0-9A-Z]+)+")),
)
_LETTER_GROUP = re.compile(r"[A-Z][0-9]{2}")
_TEST_LETTERS = frozenset("ZDJT")
_TEST_LEVEL_1 = frozenset({"H99"})
"""The invented trial province; the letters Z, D, J and T are tests as a whole."""


_BLANKS = " \t\xa0"
"""What is trimmed: blank, tabulator and the no-break space of spreadsheets; never a line end."""
_MAX_WRITTEN = 200
"""Characters of a code with the blanks around it; more is no code, and is not remembered."""


def _short(text: str) -> str:
    """Return at most 60 printable characters of ``text``, for an error message."""
    return printable(text[:60])


def _trimmed(text: str, kind: str) -> str:
    """Trim and raise to upper case; raises ``CodeMalformed`` for what is not ASCII by then.

    ASCII is asked for first: ``upper`` turns some other letters (U+0131, U+017F, U+FB01) into it.
    """
    value = text.strip(_BLANKS) if len(text) <= _MAX_WRITTEN else ""
    if not value or not value.isascii():
        raise CodeMalformed(value=_short(text), kind=kind)
    return value.upper()


@dataclass(frozen=True, slots=True)
class AgencyCode:
    """The identifier code of an agency, a connection centre or an enterprise.

    Two codes are equal when their canonical spelling (trimmed, upper case) is; whether two codes
    name one agency is the directory's to say, never this class's.
    """

    value: str
    kind: CodeKind = field(compare=False)

    @classmethod
    def parse(cls, text: str, environment: Environment = Environment.TRIAL) -> AgencyCode:
        """Parse an agency code of any kind.

        Raises ``CodeMalformed`` for any other shape and ``CodeTestOnly`` for a test code outside
        the trial environment.
        """
        code = _parse_agency(_trimmed(text, _AGENCY))
        if environment is not Environment.TRIAL and code.is_test:
            raise CodeTestOnly(value=code.value)
        return code

    @property
    def level_1(self) -> str:
        """The level-1 group (``H12``); empty for enterprises and for test codes without one."""
        groups = self.value.split(".")
        if self.kind is CodeKind.NEW:
            return groups[0]
        if self.kind in (CodeKind.OLD_FULL, CodeKind.OLD_SHORT, CodeKind.CENTRE):
            return groups[-1]
        return groups[1] if self.kind is CodeKind.PARTY else ""

    @property
    def is_test(self) -> bool:
        """Whether the code may be used in the trial environment only."""
        group = self.level_1
        return self.kind is CodeKind.TEST or group[:1] in _TEST_LETTERS or group in _TEST_LEVEL_1

    def guessed_new_form(self) -> str | None:
        """Return the reversed form of an old code, a **proposal** for a person to look at.

        Agencies were renumbered, so nothing is ever routed on it; ``None`` when there is no guess.
        """
        if self.kind not in (CodeKind.OLD_FULL, CodeKind.OLD_SHORT):
            return None
        groups = [group for group in reversed(self.value.split(".")) if group.strip("0")]
        return ".".join(groups)

    def __str__(self) -> str:
        return self.value


_AGENCY = "agency code"


@lru_cache(maxsize=200_000)
def _parse_agency(value: str) -> AgencyCode:
    """The code of a trimmed upper-case spelling, remembered for each of the 120,000 agencies."""
    if len(value) <= MAX_AGENCY_CODE:
        for kind, shape in _SHAPES:
            if shape.fullmatch(value):
                if kind is CodeKind.NEW and "." in value and _reads_both_ways(value):
                    break
                return AgencyCode(value, kind)
    raise CodeMalformed(value=_short(value), kind=_AGENCY)


def _reads_both_ways(value: str) -> bool:
    """Whether the last group is a letter group too, so that the direction cannot be told."""
    return _LETTER_GROUP.fullmatch(value.rsplit(".", 1)[1]) is not None


@dataclass(frozen=True, slots=True)
class MessageId:
    """A UUID in its canonical lower-case spelling (RFC 9562); version 7 when we make it."""

    value: str

    @classmethod
    def parse(cls, text: str) -> MessageId:
        """Accept any UUID version in the 36-character spelling; raises ``CodeMalformed``."""
        if not _UUID.fullmatch(text):
            raise CodeMalformed(value=_short(text), kind="message id (UUID)")
        return cls(text.lower())

    @classmethod
    def new(cls, unix_ms: int, entropy: bytes) -> MessageId:
        """Make a version 7 UUID of milliseconds since 1970 and 10 random bytes (RFC 9562 §5.7).

        Raises ``ValueError`` for a time before 1970 or after 10889, and for fewer bytes.
        """
        if not 0 <= unix_ms < 1 << 48 or len(entropy) < _ENTROPY:
            msg = f"no version 7 UUID of {unix_ms} ms and {len(entropy)} bytes"
            raise ValueError(msg)
        bits = unix_ms << 80 | int.from_bytes(entropy[:_ENTROPY], "big")
        bits = bits & ~(0xF << 76) | 0x7 << 76
        bits = bits & ~(0x3 << 62) | 0x2 << 62
        return cls(str(uuid.UUID(int=bits)))

    def __str__(self) -> str:
        return self.value


_ENTROPY = 10
_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")


@dataclass(frozen=True, slots=True)
class MessageType:
    """A dotted lower-case message type such as ``dossier.received``."""

    value: str

    @classmethod
    def parse(cls, text: str) -> MessageType:
        """Check the spelling only (the catalogue knows which exist); raises ``CodeMalformed``."""
        if len(text) > MAX_TYPE or not _TYPE.fullmatch(text):
            raise CodeMalformed(value=_short(text), kind="message type")
        return cls(text)

    @property
    def family(self) -> str:
        """The part before the first dot: ``dossier``, ``receipt`` and so on."""
        return self.value.split(".", 1)[0]

    @property
    def is_receipt(self) -> bool:
        """Receipts end there: a ``receipt.*`` never causes another one, nor a rejection."""
        return self.family == "receipt"

    def __str__(self) -> str:
        return self.value


_TYPE = re.compile(r"[a-z]+(\.[a-z_]+)+")


@dataclass(frozen=True, slots=True)
class DossierCode:
    """A dossier code as its source spells it; checked softly, because real ones vary (sheet §8)."""

    value: str

    @classmethod
    def parse(cls, text: str) -> DossierCode:
        """Accept 1 to 64 printable characters, no blanks at the ends; raises ``CodeMalformed``."""
        if not 1 <= len(text) <= MAX_DOSSIER_CODE or text != text.strip() or not text.isprintable():
            raise CodeMalformed(value=_short(text), kind="dossier code")
        return cls(text)

    @property
    def is_legal_form(self) -> bool:
        """Whether it has the form of TT 01/2018/TT-VPCP art. 19 (agency-YYMMDD-sequence)."""
        return _LEGAL_DOSSIER.fullmatch(self.value) is not None

    def __str__(self) -> str:
        return self.value


_LEGAL_DOSSIER = re.compile(
    r"([0-9]{3}\.[0-9]{2}\.[0-9]{2}\.[A-Z][0-9]{2}|[A-Z][0-9]{2}(\.[0-9A-Z]{1,3})*)"
    r"-[0-9]{6}-[0-9]{4,6}"
)


@dataclass(frozen=True, slots=True)
class ProcedureCode:
    """A procedure code (mã TTHC): compared on its base ``d.dddddd``, the suffix is kept."""

    value: str = field(compare=False)
    base: str

    @classmethod
    def parse(cls, text: str) -> ProcedureCode:
        """Parse ``1.012766`` or ``3.000181.000.00.00.H22``; raises ``CodeMalformed``."""
        found = _PROCEDURE.fullmatch(_trimmed(text, "procedure code"))
        if found is None:
            raise CodeMalformed(value=_short(text), kind="procedure code")
        return cls(found.group(0), found.group(1))

    def __str__(self) -> str:
        return self.value


_PROCEDURE = re.compile(r"([0-9]\.[0-9]{6})((?:\.[0-9]{2,3})*(?:\.[A-Z][0-9]{2})?)")


@dataclass(frozen=True, slots=True)
class GsoProvince:
    """A province code of the statistical office: two digits, text, never a number."""

    value: str

    @classmethod
    def parse(cls, text: str) -> GsoProvince:
        """Parse two digits; raises ``CodeMalformed``."""
        return cls(_two_digits(text, "GSO province code"))


@dataclass(frozen=True, slots=True)
class PostProvince:
    """A province code of the post: two digits of **another** list than the statistical one."""

    value: str

    @classmethod
    def parse(cls, text: str) -> PostProvince:
        """Parse two digits; raises ``CodeMalformed``."""
        return cls(_two_digits(text, "postal province code"))


def _two_digits(text: str, kind: str) -> str:
    if re.fullmatch(r"[0-9]{2}", text) is None:
        raise CodeMalformed(value=_short(text), kind=kind)
    return text
