"""An edXML packet as frozen data; texts are as the file has them, trimmed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from hub.codes import AgencyCode
from hub.schemas.edxml.notices import Notice
from hub.schemas.edxml.vocabulary import (
    ADMINISTRATIVE,
    LEGAL,
    NAMESPACE,
    BusinessKind,
    Dialect,
)


@dataclass(frozen=True, slots=True)
class Organ:
    """``From`` or ``To``: an agency as the packet names it."""

    organ_id: str
    """As written; ``code`` is its parsed form."""
    code: AgencyCode
    in_charge: str = ""
    name: str = ""
    address: str = ""
    email: str = ""
    telephone: str = ""
    fax: str = ""
    website: str = ""


@dataclass(frozen=True, slots=True)
class Notation:
    """Số/ký hiệu: ``125`` / ``SKHCN-CĐS``; the number is not always digits."""

    number: str = ""
    notation: str = ""

    @classmethod
    def split(cls, text: str) -> Notation:
        """Read the flat spelling ``125/SKHCN-CĐS``."""
        number, slash, notation = text.partition("/")
        return cls(number.strip(), notation.strip()) if slash else cls(notation=text.strip())

    def __str__(self) -> str:
        return "/".join(part for part in (self.number, self.notation) if part)


@dataclass(frozen=True, slots=True)
class ResponseFor:
    """The document that a packet answers."""

    organ_id: str = ""
    code: Notation = Notation()
    document_id: str = ""
    promulgation_date: date | None = None


@dataclass(frozen=True, slots=True)
class DocumentType:
    """Loại văn bản, in whichever of the two numberings; ``name`` is what to show."""

    type: int | None = None
    detail: int | None = None
    name: str = ""

    @property
    def row_of_class(self) -> tuple[int | None, int | None]:
        """Class (1 legal, 2 administrative) and row; ``None`` for what the packet leaves open."""
        if self.type in (LEGAL, ADMINISTRATIVE):
            return self.type, self.detail or None
        return (ADMINISTRATIVE, self.type) if self.type else (None, None)


@dataclass(frozen=True, slots=True)
class Signer:
    """Người ký."""

    competence: str = ""
    """TM., KT., TL., TUQ. …"""
    position: str = ""
    full_name: str = ""


@dataclass(frozen=True, slots=True)
class OtherInfo:
    """``OtherInfo``; numbers as written, where nothing depends on them."""

    priority: int = 0
    """0 thường … 4 hỏa tốc hẹn giờ."""
    sphere: str = ""
    typer_notation: str = ""
    amount: str = ""
    pages: str = ""
    direction: str = ""
    appendixes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Staff:
    """``StaffInfo``: who to ask."""

    department: str = ""
    staff: str = ""
    email: str = ""
    mobile: str = ""
    department_id: str = ""
    staff_id: str = ""


@dataclass(frozen=True, slots=True)
class Trace:
    """``TraceHeader``: a system that the packet went through."""

    organ_id: str = ""
    """Empty where a hub wrote none, or the word ``null``."""
    timestamp: datetime | None = None


@dataclass(frozen=True, slots=True)
class Receiver:
    """A receiver added or removed by an update."""

    organ_id: str
    code: AgencyCode
    added: bool


@dataclass(frozen=True, slots=True)
class Replacement:
    """One of the documents that a packet replaces, with its own receivers."""

    document_id: str
    organ_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Business:
    """``Bussiness``: what the packet wants to be."""

    kind: BusinessKind = BusinessKind.NEW
    document_id: str = ""
    reason: str = ""
    paper: str = ""
    document_info: str = ""
    document_receiver: str = ""
    content_changed: bool | None = None
    """What ``document_info`` means, by the options."""
    receivers: tuple[Receiver, ...] = ()
    replacements: tuple[Replacement, ...] = ()
    staff: tuple[Staff, ...] = ()


@dataclass(frozen=True, slots=True)
class Inner:
    """The one entry of a wrapper archive."""

    name: str
    size: int
    sha256: str
    kind: str
    damaged: int = 0
    content: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class PacketFile:
    """A file in the packet, with the words of the manifest where the attachment has none."""

    content_id: str
    """Without ``cid:``."""
    name: str
    media_type: str
    """As declared."""
    description: str = ""
    size: int = 0
    """Bytes as transported, before any unwrapping."""
    sha256: str = ""
    kind: str = ""
    """What the bytes are by their beginning: ``pdf``, ``zip``, ``docx``, … or empty."""
    inner: Inner | None = None
    """The wrapped file, when the transported one is a wrapper."""
    damaged: int = 0
    """Occurrences of U+FFFD at the beginning of a PDF; any is damage by a text conversion."""
    content: bytes | None = field(default=None, repr=False)
    """The transported bytes, when asked for."""


@dataclass(frozen=True, slots=True)
class SignatureReport:
    """What stands in the signature slot. It is never trusted and never required."""

    present: bool = False
    namespace: str = ""
    algorithms: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """A new document, a recall, an update or a replacement."""

    sender: Organ
    recipients: tuple[Organ, ...]
    document_id: str
    code: Notation
    place: str = ""
    promulgation_date: date | None = None
    type: DocumentType = DocumentType()
    subject: str = ""
    content: str = ""
    signer: Signer = Signer()
    due_date: date | None = None
    other: OtherInfo = OtherInfo()
    response_for: tuple[ResponseFor, ...] = ()
    steering_type: str = ""
    tasks: tuple[str, ...] = ()
    """``ResponseForTask/TaskCode``."""
    application_type: str = ""
    to_places: tuple[str, ...] = ()
    traces: tuple[Trace, ...] = ()
    trace_id: str = ""
    """Attribute ``id`` of the trace list."""
    business: Business = Business()
    files: tuple[PacketFile, ...] = ()

    @property
    def target(self) -> str:
        """The document that a recall or an update is about (sheet edXML §6)."""
        return self.business.document_id or self.document_id


@dataclass(frozen=True, slots=True)
class StatusMessage:
    """A status message: goes to the agency in ``response_for``."""

    sender: Organ
    response_for: ResponseFor
    recipient: AgencyCode
    """Parsed from ``response_for``."""
    code: str
    """Two digits."""
    description: str = ""
    timestamp: datetime | None = None
    """Offset +07:00."""
    staff: Staff | None = None


@dataclass(frozen=True, slots=True)
class Packet:
    """One edXML file, read; exactly one of ``document`` and ``status`` is set."""

    dialect: Dialect
    document: Document | None = None
    status: StatusMessage | None = None
    namespace: str = NAMESPACE
    signature: SignatureReport = SignatureReport()
    notices: tuple[Notice, ...] = ()
    extras: tuple[str, ...] = ()
    """XPaths of elements that QCVN 102 does not have; they stay in the file."""

    @property
    def sender(self) -> Organ:
        """The agency in ``From``."""
        return self._part.sender

    @property
    def document_id(self) -> str:
        """The packet's own document, or the one that a status is about."""
        return self.document.document_id if self.document else self._status.response_for.document_id

    @property
    def kind(self) -> str:
        """``new``, ``recall``, ``update``, ``replace`` or ``status``."""
        return self.document.business.kind.name.lower() if self.document else "status"

    @property
    def _status(self) -> StatusMessage:
        if self.status is None:
            msg = "a packet holds a document or a status"
            raise ValueError(msg)
        return self.status

    @property
    def _part(self) -> Document | StatusMessage:
        return self.document or self._status
