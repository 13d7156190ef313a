"""Every sample file gives the result that its table promises."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest

from hub.errors import (
    EdxmlDamaged,
    EdxmlDate,
    EdxmlFutureDate,
    EdxmlMalformed,
    EdxmlNamespace,
    EdxmlOrganId,
    EdxmlRecipient,
)
from hub.schemas.edxml import BusinessKind, Dialect
from hub.schemas.edxml.vocabulary import XMLDSIG

HEADER = "/edXML/edXMLEnvelope/edXMLHeader/MessageHeader"
DAY = f"{HEADER}/PromulgationInfo/PromulgationDate"
NEW, JAVA = BusinessKind.NEW, Dialect.JAVA
REFUSED = [
    ("d01_doubled_from_tag", EdxmlMalformed, "75:29"),
    ("d02_two_from", EdxmlRecipient, f"{HEADER}/From[2]"),
    ("d03_missing_prefix_namespace", EdxmlMalformed, "3:23"),
    ("d04_missing_xlink_namespace", EdxmlMalformed, "95:122"),
    ("d05_duplicate_to", EdxmlRecipient, f"{HEADER}/To[2]"),
    ("d06_future_promulgation_date", EdxmlFutureDate, DAY),
    ("d07_impossible_date", EdxmlDate, DAY),
    ("d09_malformed_code", EdxmlOrganId, f"{HEADER}/To/OrganId"),
    ("d13_edoc_vn_namespace", EdxmlNamespace, "/edXML"),
]  # fmt: skip
ACCEPTED = [
    ("valid/new_java", NEW, JAVA, []),
    ("valid/new_dotnet", BusinessKind.NEW, Dialect.DOTNET, []),
    ("valid/recall_java", BusinessKind.RECALL, Dialect.JAVA, []),
    ("valid/update_java", BusinessKind.UPDATE, Dialect.JAVA, []),
    ("valid/replace_java", BusinessKind.REPLACE, Dialect.JAVA, []),
    ("tolerated/unprefixed", BusinessKind.NEW, Dialect.UNKNOWN, []),
    (
        "tolerated/hub_added_traceheader",
        BusinessKind.NEW,
        Dialect.JAVA,
        ["edxml.trace_organ", "edxml.trace_organ", "edxml.business_missing", "edxml.rewrapped"],
    ),
    ("defective/d08_closed_code", NEW, JAVA, []),
    ("defective/d10_zip_declared_as_pdf", NEW, JAVA, ["edxml.attachment_mismatch"]),
    ("defective/d11_corrupted_pdf_ufffd", NEW, JAVA, ["edxml.attachment_damaged"]),
    (
        "defective/d12_signature_wrong_namespace",
        BusinessKind.NEW,
        Dialect.JAVA,
        ["edxml.signature_namespace", "edxml.signature_untrusted"],
    ),
    ("defective/d14_duplicate_to_by_alias", NEW, JAVA, []),
]  # fmt: skip
STATUSES = [
    ("01", "H13.15", "H12.15", "08:20:11"),
    ("02", "H17.15", "H12.15", "09:02:40"),
    ("03", "H13.15", "H12.15", "09:05:30"),
    ("04", "H13.15", "H12.15", None),
    ("05", "H13.15", "H12.15", None),
    ("06", "H13.15", "H12.15", None),
    ("13", "H12.15", "H13.15", "13:50:00"),
    ("15", "H13.15", "H12.15", None),
    ("16", "H13.15", "H12.15", None),
]


@pytest.mark.parametrize(("name", "error", "place"), REFUSED)
def test_defective_file_is_refused(reading, sample, name, error, place):
    """Each refusal names its code, its place and its reason in both languages."""
    with pytest.raises(error) as caught:
        reading(sample(f"defective/{name}"))
    assert type(caught.value) is error
    assert str(caught.value.place) == place
    assert "?" not in caught.value.message("vi")
    assert caught.value.message("vi") != caught.value.message("en")


@pytest.mark.parametrize(("name", "kind", "dialect", "notices"), ACCEPTED)
def test_file_is_accepted_with_its_notices(reading, sample, name, kind, dialect, notices):
    """An acceptable file is read, and exactly what was tolerated is told."""
    packet = reading(sample(name))
    assert packet.document.business.kind is kind
    assert packet.dialect is dialect
    assert [notice.code for notice in packet.notices] == notices
    assert all(notice.message("vi") != notice.message("en") for notice in packet.notices)
    assert all(notice.path.startswith("/edXML/") for notice in packet.notices)
    assert packet.extras == ()


@pytest.mark.parametrize(("code", "sender", "receiver", "at"), STATUSES)
def test_status_is_routed_by_what_it_answers(reading, sample, code, sender, receiver, at):
    """A status has no To: it goes to ResponseFor/OrganId, the peer's code on a 13."""
    packet = reading(sample(f"status/status_{code}"))
    status = packet.status
    assert (packet.kind, status.code) == ("status", code)
    assert (status.sender.code.value, status.recipient.value) == (sender, receiver)
    assert status.response_for.document_id == "H12.15,2026/03/04,125/SKHCN-CĐS"
    assert str(status.response_for.code) == "125/SKHCN-CĐS"
    assert status.timestamp.utcoffset() == timedelta(hours=7)
    if at:
        assert f"{status.timestamp:%H:%M:%S}" == at
    assert packet.notices == ()


def test_new_document_is_read_whole(reading, sample):
    """Every field of the Java sample comes out, the wrapped zip opened exactly once."""
    document = reading(sample("valid/new_java"), keep_content=True).document
    assert [organ.organ_id for organ in document.recipients] == ["H13.15", "H17.15"]
    assert document.sender.in_charge == "UBND tỉnh Cà Mau"
    assert document.type.row_of_class == (2, 18)
    assert (document.promulgation_date, document.due_date) == (date(2026, 3, 4), date(2026, 3, 20))
    assert document.signer.full_name == "Nguyễn Văn Mẫu"
    assert document.other.appendixes == ("Phụ lục số liệu",)
    assert document.traces[0].timestamp == datetime(
        2026, 3, 4, 8, 15, tzinfo=timezone(timedelta(hours=7))
    )
    pdf, archive = document.files
    assert (pdf.content_id[-1], pdf.kind, pdf.size, pdf.inner) == ("1", "pdf", 769, None)
    assert pdf.content.startswith(b"%PDF-1.4")
    assert (archive.kind, archive.inner.kind) == ("zip", "zip")
    assert archive.inner.name == "7d1f0c52-0000-4000-8000-000000000002.zip"
    assert archive.inner.content.startswith(b"PK")


def test_dotnet_document_pairs_ids_without_cid(reading, sample):
    """Attachments without ``cid:`` find their manifest entries; old codes are read as written."""
    document = reading(sample("valid/new_dotnet")).document
    assert document.sender.organ_id == "000.00.15.H26"
    assert document.type.row_of_class == (2, 18)
    assert [file.description for file in document.files] == ["Công văn số 88", "Phụ lục số liệu"]
    assert document.files[1].inner is None


def test_targets_of_recall_update_and_replace(reading, sample):
    """A recall without a target means its own id; an update names one; a replacement several."""
    first = "H12.15,2026/03/04,125/SKHCN-CĐS"
    recall = reading(sample("valid/recall_java")).document
    assert (recall.business.document_id, recall.target) == ("", first)
    update = reading(sample("valid/update_java")).document
    assert update.target == first
    assert [(r.organ_id, r.added) for r in update.business.receivers] == [
        ("H17.15", False),
        ("H26.15", True),
    ]
    replace = reading(sample("valid/replace_java")).document
    assert [(r.document_id, r.organ_ids) for r in replace.business.replacements] == [
        (first, ("H13.15", "H17.15")),
        ("H12.15,2026/02/27,117/SKHCN-CĐS", ("H13.15",)),
    ]


def test_alias_of_a_receiver_is_a_duplicate_for_who_knows_aliases(reading, sample):
    """With a directory's pairs at hand the old and the new code of one agency are refused."""
    pairs = {"000.00.15.H13": "H13.15"}
    with pytest.raises(EdxmlRecipient) as caught:
        reading(
            sample("defective/d14_duplicate_to_by_alias"),
            same_agency=lambda code: pairs.get(code.value, code.value),
        )
    assert str(caught.value.place) == f"{HEADER}/To[2]"
    assert "H13.15 = 000.00.15.H13" in caught.value.message("vi")


def test_older_namespace_behind_its_switch(reading, sample):
    """The e-doc.vn generation is read only when asked for, and says so."""
    packet = reading(sample("defective/d13_edoc_vn_namespace"), accept_edoc=True)
    assert packet.dialect is Dialect.EDOC
    assert [notice.code for notice in packet.notices] == ["edxml.edoc_namespace"]


def test_damaged_pdf_is_refused_by_setting(reading, sample):
    """What is otherwise reported is refused when the setting says so, with the count."""
    with pytest.raises(EdxmlDamaged, match="88 x U"):
        reading(sample("defective/d11_corrupted_pdf_ufffd"), refuse_damaged=True)


def test_signature_is_reported_and_never_trusted(reading, sample):
    """Namespace, algorithms and the misspelt canonicalisation of a signature are told."""
    report = reading(sample("defective/d12_signature_wrong_namespace")).signature
    assert report.present
    assert report.namespace != XMLDSIG
    assert "http://www.w3.org/TR/xml-exc-c14n#" in report.algorithms
    assert report.problems == (
        "wrong namespace",
        "weak algorithm",
        "unknown canonicalisation",
        "never verified by this hub",
    )
