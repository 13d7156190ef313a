"""The strict writer: vendor spelling, fields in dialect order, byte-stable, never a signature.

Only what the hub itself has to say is written: answers and, in simulators, new documents. A packet
that came is never written again.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime

from hub.errors import EdxmlAttachment, EdxmlField, EdxmlRecipient
from hub.schemas.edxml.fields import VIETNAM
from hub.schemas.edxml.layout import Lines, Part
from hub.schemas.edxml.model import Business, Document, Organ, PacketFile, Staff, StatusMessage
from hub.schemas.edxml.vocabulary import NAMESPACE, XLINK, BusinessKind, Dialect

_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_XSD = "http://www.w3.org/2001/XMLSchema"
_ROOTS = {
    Dialect.JAVA: ('<?xml version="1.0" encoding="UTF-8"?>', ""),
    Dialect.DOTNET: (
        '<?xml version="1.0" encoding="utf-8"?>',
        f' xmlns:xsi="{_XSI}" xmlns:xsd="{_XSD}"',
    ),
}
_TRACE_ATTRIBUTES = (
    ' id="{id}" version="1.0" mustUnderstand="1" actor="http://schemas.xmlsoap.org/soap/actor/next"'
)
_EMPTY = {Dialect.JAVA: "/>", Dialect.DOTNET: " />"}


def write_document(document: Document, dialect: Dialect = Dialect.JAVA) -> bytes:
    """Write a document, recall, update or replacement, with the content of its files.

    Raises ``EdxmlRecipient`` for no receiver or one twice, ``EdxmlAttachment`` for a file without
    content, ``EdxmlTooLong`` above the norm's lengths, ``EdxmlField`` for control characters.
    """
    codes = [organ.code for organ in document.recipients]
    if not codes or len(set(codes)) != len(codes):
        raise EdxmlRecipient(
            reason="receivers are missing or stand twice", reason_vi="thiếu hoặc trùng nơi nhận"
        )
    business = document.business
    if business.kind is BusinessKind.REPLACE and not business.replacements:
        raise EdxmlField(
            field="ReplacementInfoList", reason="it is missing", reason_vi="không có giá trị"
        )
    return _Writer(dialect).document(document)


def write_status(status: StatusMessage, dialect: Dialect = Dialect.JAVA) -> bytes:
    """Write a status message; raises ``EdxmlTooLong`` or ``EdxmlField``."""
    return _Writer(dialect).status(status)


class _Writer:
    def __init__(self, dialect: Dialect) -> None:
        self._lines = Lines()
        self._dialect = dialect
        self._java = dialect is not Dialect.DOTNET

    def document(self, document: Document) -> bytes:
        lines = self._lines
        with self._root():
            with self._envelope():
                with lines.group("edXMLHeader"):
                    with lines.group("MessageHeader"):
                        for part in self._header(document):
                            part()
                    self._traces(document)
                    if not self._java:
                        lines.raw("<edXML:DigitalSignature />")
                with lines.group("edXMLBody"):
                    self._manifest(document.files)
            if document.files:
                with lines.group("AttachmentEncoded", prefix=""):
                    for file in document.files:
                        self._attachment(file)
        return lines.done()

    def status(self, status: StatusMessage) -> bytes:
        lines, answered = self._lines, status.response_for
        header = lines.group("edXMLHeader")
        with self._root(), self._envelope(), header, lines.group("MessageHeader"):
            with lines.group("From"):
                lines.fields(OrganId=status.sender.organ_id, OrganName=status.sender.name)
                lines.field("OrganizationInCharge", status.sender.in_charge)
                self._contact(status.sender)
            with lines.group("ResponseFor"):
                lines.fields(OrganId=answered.organ_id, Code=answered.code)
                lines.field("PromulgationDate", _day(answered.promulgation_date))
                lines.field("DocumentId", answered.document_id)
            if status.staff is not None:
                self._staff(status.staff, mobile_first=True)
            lines.field("StatusCode", status.code)
            lines.field("Description", status.description)
            lines.field("Timestamp", _moment(status.timestamp))
        return lines.done()

    @contextmanager
    def _root(self) -> Iterator[None]:
        declaration, extra = _ROOTS[self._dialect]
        self._lines.raw(declaration)
        with self._lines.group("edXML", f'{extra} xmlns="{NAMESPACE}"', prefix=""):
            yield

    @contextmanager
    def _envelope(self) -> Iterator[None]:
        with self._lines.group("edXMLEnvelope", f' xmlns:edXML="{NAMESPACE}"'):
            yield

    def _header(self, document: Document) -> list[Part]:
        """Return the header's parts in the order of the dialect."""
        lines = self._lines

        def identified() -> None:
            lines.field("DocumentId", document.document_id)

        def coded() -> None:
            code = document.code
            lines.block("Code", CodeNumber=code.number, CodeNotation=code.notation)

        def placed() -> None:
            lines.each("ToPlaces", "Place", document.to_places, "ToPlaces/Place")

        def organs() -> None:
            self._organ("From", document.sender)
            for organ in document.recipients:
                self._organ("To", organ)

        def middle() -> None:
            self._middle(document)

        def other() -> None:
            self._other(document)

        if self._java:
            return [organs, identified, coded, middle, other, placed]
        return [organs, coded, middle, placed, other, identified]

    def _organ(self, name: str, organ: Organ) -> None:
        with self._lines.group(name):
            self._lines.field("OrganId", organ.organ_id)
            self._lines.field("OrganizationInCharge", organ.in_charge)
            self._lines.field("OrganName", organ.name)
            self._contact(organ)

    def _contact(self, organ: Organ) -> None:
        self._lines.fields(
            OrganAdd=organ.address,
            Email=organ.email,
            Telephone=organ.telephone,
            Fax=organ.fax,
            Website=organ.website,
        )

    def _middle(self, document: Document) -> None:
        lines, kind, signer = self._lines, document.type, document.signer
        day = _day(document.promulgation_date)
        lines.block("PromulgationInfo", Place=document.place, PromulgationDate=day)
        if self._java:
            lines.block("DocumentType", Type=kind.type, TypeDetail=kind.detail, TypeName=kind.name)
        else:
            lines.block("DocumentType", Type=kind.type, TypeName=kind.name, TypeDetail=kind.detail)
        lines.fields(Subject=document.subject, Content=document.content)
        lines.block(
            "SignerInfo",
            Competence=signer.competence,
            Position=signer.position,
            FullName=signer.full_name,
        )
        lines.field("DueDate", _day(document.due_date))

    def _other(self, document: Document) -> None:
        lines, other = self._lines, document.other
        with lines.group("OtherInfo"):
            lines.fields(
                Priority=other.priority,
                SphereOfPromulgation=other.sphere,
                TyperNotation=other.typer_notation,
                PromulgationAmount=other.amount,
                PageAmount=other.pages,
                Direction=other.direction,
            )
            lines.each("Appendixes", "Appendix", other.appendixes)
        for answered in document.response_for:
            lines.block(
                "ResponseFor",
                OrganId=answered.organ_id,
                Code=answered.code,
                DocumentId=answered.document_id,
                PromulgationDate=_day(answered.promulgation_date),
            )
        lines.field("SteeringType", document.steering_type)
        lines.each("ResponseForTask", "TaskCode", document.tasks)
        lines.field("ApplicationType", document.application_type)

    def _traces(self, document: Document) -> None:
        lines = self._lines
        attributes = "" if self._java else _TRACE_ATTRIBUTES.format(id=document.trace_id)
        with lines.group("TraceHeaderList", attributes):
            for trace in document.traces:
                with lines.group("TraceHeader"):
                    lines.fields(OrganId=trace.organ_id, Timestamp=_moment(trace.timestamp))
            with lines.group("Bussiness"):
                self._business(document.business)

    def _business(self, business: Business) -> None:
        lines = self._lines
        lines.fields(
            DocumentId=business.document_id,
            BussinessDocType=business.kind.value,
            BussinessDocReason=business.reason,
        )
        if self._java:
            lines.field("Paper", business.paper)
        self._targets(business)
        for staff in business.staff:
            self._staff(staff, mobile_first=not self._java)
        if not self._java:
            lines.field("Paper", business.paper)

    def _targets(self, business: Business) -> None:
        lines = self._lines
        if business.kind is BusinessKind.UPDATE:
            with lines.group("BussinessDocumentInfo"):
                lines.field("DocumentInfo", business.document_info)
                lines.field("DocumentReceiver", business.document_receiver)
                with lines.group("ReceiverList"):
                    for receiver in business.receivers:
                        change = int(receiver.added)
                        lines.block("Receiver", OrganId=receiver.organ_id, ReceiverType=change)
        if business.kind is BusinessKind.REPLACE:
            with lines.group("ReplacementInfoList"):
                for target in business.replacements:
                    with lines.group("ReplacementInfo"):
                        lines.field("DocumentId", target.document_id)
                        lines.each("OrganIdList", "OrganId", target.organ_ids)

    def _staff(self, staff: Staff, *, mobile_first: bool) -> None:
        lines = self._lines
        with lines.group("StaffInfo"):
            lines.fields(
                Department=staff.department,
                DepartmentId=staff.department_id,
                Staff=staff.staff,
                StaffId=staff.staff_id,
            )
            reach = [("Email", staff.email), ("Mobile", staff.mobile)]
            for name, value in reversed(reach) if mobile_first else reach:
                lines.field(name, value)

    def _manifest(self, files: tuple[PacketFile, ...]) -> None:
        lines = self._lines
        if not files:
            lines.raw(f'<edXML:edXMLManifest version="1.0"{_EMPTY[self._dialect]}')
            return
        with lines.group("edXMLManifest", ' version="1.0"'):
            for file in files:
                cid = f"cid:{file.content_id}"
                if self._java:
                    with lines.group("Reference"):
                        lines.fields(ContentId=cid, ContentType=file.media_type)
                        lines.fields(Description=file.description, AttachmentName=file.name)
                    continue
                link = f' xmlns:xlink="{XLINK}" xlink:href="{cid}"'
                with lines.group("Reference", f'{link} xlink:role="XLinkRole" xlink:type="simple"'):
                    lines.fields(Description=file.description, AttachmentName=file.name)
                    lines.fields(ContentType=file.media_type, ContentId=cid)

    def _attachment(self, file: PacketFile) -> None:
        if file.content is None:
            raise EdxmlAttachment(
                name=file.name, reason="its content is not there", reason_vi="không có nội dung"
            )
        lines, encoded = self._lines, base64.b64encode(file.content).decode("ascii")
        with lines.group("Attachment", prefix=""):
            if self._java:
                lines.field("ContentId", f"cid:{file.content_id}", prefix="")
                lines.field("AttachmentName", file.name, prefix="")
                lines.field("Description", file.description, prefix="")
                lines.field("ContentType", file.media_type, prefix="")
                name, declared = "edXML:ContentTransferEncoded", f' xmlns:edXML="{NAMESPACE}"'
                lines.raw(f"<{name}{declared}>{encoded}</{name}>")
                return
            lines.field("ContentType", file.media_type, prefix="")
            lines.field("ContentId", file.content_id, prefix="")
            lines.field("Description", file.description, prefix="")
            lines.field("ContentTransferEncoded", encoded, prefix="")
            lines.field("AttachmentName", file.name, prefix="")


def _day(value: date | None) -> str:
    return f"{value:%Y/%m/%d}" if value is not None else ""


def _moment(value: datetime | None) -> str:
    return "" if value is None else f"{value.astimezone(VIETNAM):%Y/%m/%d %H:%M:%S}"
