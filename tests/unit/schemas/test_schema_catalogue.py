"""The closed table of message types, and the XSDs that follow it."""

from __future__ import annotations

import re

import pytest
from lxml import etree

from hub.codes import MessageType
from hub.errors import ConfigInvalid, UnknownType, UnknownVersion
from hub.schemas.catalog import (
    SENDER_KINDS,
    catalogue,
    parse_types,
    schema_file,
    schema_folder,
    spec_of,
)
from hub.schemas.model import payload_model

XS = "{http://www.w3.org/2001/XMLSchema}"
PROMISED = [
    "dossier.submitted",
    "dossier.received",
    "dossier.rejected",
    "dossier.assigned",
    "step.started",
    "step.finished",
    "dossier.supplement_requested",
    "dossier.supplement_received",
    "dossier.payment_requested",
    "dossier.paid",
    "dossier.due_soon",
    "dossier.overdue",
    "dossier.apology",
    "dossier.paused",
    "dossier.stopped",
    "dossier.withdrawn",
    "dossier.resolved",
    "result.issued",
    "result.ready_for_pickup",
    "result.handed_to_post",
    "result.delivered",
    "result.returned",
    "document.new",
    "document.recall",
    "document.update",
    "document.replace",
    "document.status",
    "postal.accepted",
    "postal.handover",
    "postal.return_request",
    "postal.result_handover",
    "postal.tracking",
    "postal.delivered",
    "postal.undelivered",
    "postal.returned",
    "postal.fee_collected",
    "postal.remitted",
    "citizen.verify",
    "citizen.verify_reply",
    "citizen.lookup",
    "citizen.lookup_reply",
    "citizen.update_proposal",
    "survey.requested",
    "survey.submitted",
    "petition.submitted",
    "petition.answered",
    "subrequest.opened",
    "subrequest.answered",
    "connectivity.ping",
    "connectivity.pong",
    "receipt.accepted",
    "receipt.rejected",
    "receipt.status",
    "receipt.deferred",
    "receipt.delivered",
    "receipt.refused",
    "receipt.expired",
    "receipt.undeliverable",
    "receipt.query",
]
ALLOWED = {"schema", "include", "element", "complexType", "sequence", "group", "simpleType"}
ALLOWED |= {"restriction", "pattern", "enumeration", "minLength", "maxLength"}
FILES = sorted(path.name for path in schema_folder().glob("*.xsd"))
PAYLOADS = [name for name in FILES if name not in {"envelope.xsd", "common.xsd", "xmldsig.xsd"}]


def _schema(name: str) -> etree._Element:
    return etree.parse(schema_folder() / name).getroot()


def test_table_is_exactly_what_the_design_promises():
    """The table holds every type of the design and no other."""
    assert sorted(catalogue()) == sorted(PROMISED)


def test_no_two_types_share_an_element():
    """Each type has a payload element of its own, so the element alone tells the type."""
    tags = [spec.tag for spec in catalogue().values()]
    assert len(set(tags)) == len(tags)


@pytest.mark.parametrize("name", PROMISED)
def test_row_is_complete_and_named_by_rule(name: str):
    """An element's name is its type's in camel case; titles exist in both languages."""
    spec = catalogue()[name]
    assert spec.element == "".join(part.capitalize() for part in re.split("[._]", name))
    assert MessageType.parse(name).value == name
    assert spec.title_vi
    assert spec.title_en
    assert spec.title("vi") == spec.title_vi != spec.title("en")
    assert spec.senders
    assert set(spec.senders) <= SENDER_KINDS
    assert all(receipt in catalogue() for receipt in spec.receipts)


def test_receipts_expect_no_receipts():
    """Receipts end there: no receipt's row names another one to wait for."""
    assert {spec.receipts for name, spec in catalogue().items() if name.startswith("receipt.")} == {
        ()
    }


@pytest.mark.parametrize("file", PAYLOADS)
def test_payload_schema_declares_exactly_the_types_of_the_table(file: str):
    """A payload XSD has one global element for each type of its namespace and no other."""
    root = _schema(file)
    declared = {element.get("name") for element in root.iterfind(f"{XS}element")}
    namespace = root.get("targetNamespace")
    assert declared == {s.element for s in catalogue().values() if s.namespace == namespace}


@pytest.mark.parametrize("file", PAYLOADS)
def test_payloads_are_closed(file: str):
    """Payloads have elements only: no attributes, wildcards, unions, QNames or mixed content."""
    found = {element.tag for element in _schema(file).iter() if isinstance(element.tag, str)}
    assert found <= {f"{XS}{name}" for name in ALLOWED}
    assert b"xs:QName" not in (schema_folder() / file).read_bytes()


@pytest.mark.parametrize("file", FILES)
def test_everything_is_bounded(file: str):
    """Nothing repeats without end, and no text is without a greatest length."""
    root = _schema(file)
    for element in root.iter(f"{XS}element"):
        assert element.get("maxOccurs") != "unbounded"
        assert (element.get("type") or "").startswith("xs:") is False
    for restriction in root.iter(f"{XS}restriction"):
        if restriction.get("base") == "xs:string":
            assert _bounded(restriction), etree.tostring(restriction)


def _bounded(restriction: etree._Element) -> bool:
    facets = {etree.QName(child).localname for child in restriction}
    if facets & {"enumeration", "maxLength"}:
        return True
    patterns = [child.get("value") for child in restriction]
    return bool(patterns) and not any(re.search(r"[^\\][*+]|\{\d+,\}", text) for text in patterns)


def test_every_schema_file_is_imported_by_the_envelope():
    """The one compiled schema holds every namespace of the table."""
    imported = {item.get("namespace") for item in _schema("envelope.xsd").iterfind(f"{XS}import")}
    used = {spec.namespace for spec in catalogue().values()}
    assert used | {"http://www.w3.org/2000/09/xmldsig#"} == imported
    body = next(_schema("envelope.xsd").iter(f"{XS}any"))
    assert set(body.get("namespace").split()) == used
    assert all(schema_file(namespace).is_file() for namespace in used)


def test_unknown_type_and_version_are_named():
    """A type or schema version outside the table has an error of its own."""
    with pytest.raises(UnknownType, match=r"dossier\.eaten"):
        spec_of("dossier.eaten")
    with pytest.raises(UnknownVersion, match=r"dossier\.received 2"):
        spec_of("dossier.received", "2")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("PostalReturned", "PostalDelivered"), "share"),
        (('["post"]', '["postman"]'), "senders"),
        (('schema = "1"', 'schem = "1"'), "schem"),
        (('schema = "1"', "schema = "), "Invalid value"),
    ],
)
def test_damaged_table_is_refused_with_its_reason(change: tuple[str, str], reason: str):
    """A table in which types share an element, or a row is wrong, never loads."""
    text = (schema_folder().parent.parent / "types.toml").read_text("utf-8")
    with pytest.raises(ConfigInvalid, match=reason):
        parse_types(text.replace(*change))


def test_model_knows_order_and_repetition():
    """The element model tells what may repeat and what is a group, through groups and includes."""
    model = payload_model("postal.handover")
    names = [child.name for child in model.children]
    assert names[:3] == ["EventId", "ManifestNo", "OrderNo"]
    items = model.children[model.index["Items"]]
    assert not items.repeated
    assert items.children[0].repeated
    assert [child.name for child in items.children[0].children][:2] == ["OrderNo", "Waybill"]
    assert not model.children[model.index["Waybill"]].required
