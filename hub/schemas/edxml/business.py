"""The trace list and ``Bussiness``: recall, update, replace and their targets (sheet edXML §6)."""

from __future__ import annotations

from hub.errors import EdxmlField
from hub.schemas.edxml.fields import Fields
from hub.schemas.edxml.header import read_staff
from hub.schemas.edxml.model import Business, Receiver, Replacement, Trace
from hub.schemas.edxml.tree import Node
from hub.schemas.edxml.vocabulary import BusinessKind

_KINDS = range(len(BusinessKind))
_ADDED = range(2)


def read_traces(fields: Fields, trace_list: Node | None) -> tuple[Trace, ...]:
    """Read the trace entries; what hubs on the way added without an agency is noted."""
    if trace_list is None:
        return ()
    traces = []
    for node in trace_list.all("TraceHeader"):
        organ_id = fields.text(node, "OrganId")
        if not organ_id:
            fields.note("edxml.trace_organ", node)
        traces.append(Trace(organ_id, fields.moment(node, "Timestamp", strict=False)))
    return tuple(traces)


def read_business(fields: Fields, trace_list: Node | None, header: Node) -> Business:
    """Read ``Bussiness``; without one the packet is a new document, which is noted."""
    node = None if trace_list is None else fields.one(trace_list, "Bussiness", strict=True)
    if node is None:
        fields.note("edxml.business_missing", trace_list if trace_list is not None else header)
        return Business()
    kind = BusinessKind(fields.number(node, "BussinessDocType", _KINDS) or 0)
    info = fields.one(node, "BussinessDocumentInfo")
    changed = fields.text(info, "DocumentInfo")
    business = Business(
        kind,
        fields.text(node, "DocumentId"),
        fields.text(node, "BussinessDocReason"),
        fields.text(node, "Paper"),
        changed,
        fields.text(info, "DocumentReceiver"),
        changed in fields.options.changed if changed else None,
        _receivers(fields, info),
        _replacements(fields, node),
        tuple(read_staff(fields, staff) for staff in node.all("StaffInfo")),
    )
    if kind is BusinessKind.UPDATE and not business.document_id:
        fields.note("edxml.target_assumed", node)
    if kind is BusinessKind.REPLACE and not business.replacements:
        raise fields.missing(node, "ReplacementInfoList")
    return business


def _receivers(fields: Fields, info: Node | None) -> tuple[Receiver, ...]:
    listed = None if info is None else fields.one(info, "ReceiverList")
    receivers = []
    for node in listed.all("Receiver") if listed is not None else ():
        organ = fields.need(node, "OrganId")
        added = fields.number(node, "ReceiverType", _ADDED)
        if added is None:
            raise EdxmlField(
                field="ReceiverType",
                reason="it is missing",
                reason_vi="không có giá trị",
                place=node.place,
            )
        receivers.append(Receiver(organ.text, fields.code(organ), bool(added)))
    return tuple(receivers)


def _replacements(fields: Fields, business: Node) -> tuple[Replacement, ...]:
    listed = fields.one(business, "ReplacementInfoList")
    targets: dict[str, dict[str, None]] = {}
    for node in listed.all("ReplacementInfo") if listed is not None else ():
        target = fields.text(node, "DocumentId", strict=True)
        if target in targets:
            fields.note("edxml.target_duplicate", node)
        organs = fields.one(node, "OrganIdList")
        ids = organs.all("OrganId") if organs is not None else []
        for organ in ids:
            fields.code(organ)
        targets.setdefault(target, {}).update(dict.fromkeys(fields.texts(ids)))
    return tuple(Replacement(target, tuple(ids)) for target, ids in targets.items())
