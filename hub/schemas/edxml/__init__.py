"""The edXML codec (QCVN 102:2016/BTTTT with SĐ1:2022): lenient reader, strict writer.

``read`` takes what working systems send, in either dialect, and says what it tolerated; the bytes
that came are what travels on. ``write_document`` and ``write_status`` write the vendors' spelling,
byte for byte the same from the same input. What is refused: ``docs/howto/dms.md``.
"""

from hub.schemas.edxml.model import (
    Business,
    Document,
    DocumentType,
    Inner,
    Notation,
    Organ,
    OtherInfo,
    Packet,
    PacketFile,
    Receiver,
    Replacement,
    ResponseFor,
    SignatureReport,
    Signer,
    Staff,
    StatusMessage,
    Trace,
)
from hub.schemas.edxml.notices import Notice
from hub.schemas.edxml.options import ReadOptions
from hub.schemas.edxml.reader import read
from hub.schemas.edxml.vocabulary import STATUS_TEXTS, BusinessKind, Dialect
from hub.schemas.edxml.wrapper import wrap
from hub.schemas.edxml.writer import write_document, write_status

__all__ = [
    "STATUS_TEXTS",
    "Business",
    "BusinessKind",
    "Dialect",
    "Document",
    "DocumentType",
    "Inner",
    "Notation",
    "Notice",
    "Organ",
    "OtherInfo",
    "Packet",
    "PacketFile",
    "ReadOptions",
    "Receiver",
    "Replacement",
    "ResponseFor",
    "SignatureReport",
    "Signer",
    "Staff",
    "StatusMessage",
    "Trace",
    "read",
    "wrap",
    "write_document",
    "write_status",
]
