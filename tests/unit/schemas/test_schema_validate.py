"""Verified bytes to a valid envelope: every bad thing has its code, place and two sentences."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.codes import AgencyCode, Environment
from hub.envelope import (
    MAX_INLINE,
    MAX_INLINE_TOTAL,
    MAX_RECIPIENTS,
    Attachment,
    Payload,
    sha256_hex,
)
from hub.errors import HubError, SchemaViolation, XmlMalformed
from hub.schemas.compose import compose
from hub.schemas.validate import ValidEnvelope

HEADER = "/Envelope/Header"
RECEIVED = "/Envelope/Body/DossierReceived"
BAD = [
    ('version="1"', 'version="2"', "schema.unknown_version", "/Envelope"),
    ("urn:lienthong:envelope:1", "urn:lienthong:envelope:2", "schema.unknown_version", "/Envelope"),
    ("urn:lienthong:envelope:1", "urn:other", "schema.violation", "/"),
    ('schema="1"', 'schema="2"', "schema.unknown_version", ""),
    ('<Type schema="1">', "<Type>", "schema.violation", f"{HEADER}/Type/@schema"),
    (">dossier.received<", ">dossier.eaten<", "schema.unknown_type", ""),
    (">dossier.received<", ">dossier.paid<", "schema.violation", "/Envelope/Body/DossierReceived"),
    ("<MessageId>", "<MessageId>x", "schema.violation", f"{HEADER}/MessageId"),
    ("<Environment>trial", "<Environment>test", "schema.violation", f"{HEADER}/Environment"),
    ("<Priority>0", "<Priority>5", "schema.violation", f"{HEADER}/Priority"),
    ("<Priority>0", "<Priority>-1", "schema.violation", f"{HEADER}/Priority"),
    ('<From code="H99.19"></From>', "", "schema.violation", HEADER),
    ('<From code="H99.19">', '<From code="">', "schema.violation", f"{HEADER}/From/@code"),
    ('<From code="H99.19">', '<From code="H99.A-B">', "schema.violation", f"{HEADER}/From/@code"),
    ('<From code="H99.19">', '<From code="H9">', "code.malformed", f"{HEADER}/From"),
    ('<From code="H99.19">', '<From code="H99" x="">', "schema.violation", f"{HEADER}/From"),
    ('<To code="H12.15"></To>', "", "header.recipient_count", f"{HEADER}/To"),
    ('<To code="H12.15">', '<To code="000.1142.H12">', "code.malformed", f"{HEADER}/To"),
    ("<CreatedAt>2026-11-24", "<CreatedAt>2026-02-30", "schema.violation", f"{HEADER}/CreatedAt"),
    ("09:00:00+07:00</Cr", "09:00:00</Cr", "schema.violation", f"{HEADER}/CreatedAt"),
    ("09:00:00+07:00</Cr", "24:00:00+07:00</Cr", "schema.violation", f"{HEADER}/CreatedAt"),
    ("<ConversationId>", "<Other/><ConversationId>", "schema.violation", HEADER),
    ("</Header>", "<SignerCertificate>AB</SignerCertificate></Header>", "schema.violation", ""),
    ("<Header>", "<Head/><Header>", "schema.violation", "/Envelope"),
    ("</Header>", "</Header>text", "schema.violation", "/Envelope"),
    ("<EventId>", "<EventId>x", "schema.violation", f"{RECEIVED}/EventId"),
    ("<ReceivedAt>", "<Extra>1</Extra><ReceivedAt>", "schema.violation", RECEIVED),
    ("<Canonical>received", "<Canonical>gone", "schema.violation", f"{RECEIVED}/Status/Canonical"),
    ("<SourceSequence>7", "<SourceSequence>07", "schema.violation", f"{RECEIVED}/SourceSequence"),
    ("<Portal>2", "<Portal>hai", "schema.violation", f"{RECEIVED}/Status/Portal"),
    ("<Kind>officer", "<Kind>robot", "schema.violation", f"{RECEIVED}/Actor/Kind"),
    ("<Code>CB-0001", "<Code>CB\t0001", "schema.violation", f"{RECEIVED}/Actor/Code"),
    ("</Body>", "</Body><Body></Body>", "schema.violation", "/Envelope"),
    ("urn:lienthong:dossier:1", "urn:lienthong:dossier:2", "schema.violation", "/Envelope/Body"),
    ("urn:lienthong:dossier:1", "urn:lienthong:postal:1", "schema.violation", "/Envelope/Body"),
]


@pytest.mark.parametrize(("old", "new", "code", "path"), BAD)
def test_bad_content_has_code_place_and_two_sentences(
    scene, swap, old: str, new: str, code: str, path: str
):
    """Whatever is wrong is told by its stable code, where it is, in Vietnamese and in English."""
    with pytest.raises(HubError) as caught:
        scene.validator.check_draft(swap("dossier.received", old, new))
    error = caught.value
    assert error.code == code
    assert error.place.path.startswith(path)
    assert error.message("vi") != error.message("en")
    assert not error.message("vi").endswith(": ?.")


def test_reason_never_repeats_the_value(scene, swap):
    """The offending value may be personal data and stands in no message."""
    xml = swap("petition.submitted", "<Phone>0900000000", "<Phone>mật 0900000001")
    with pytest.raises(SchemaViolation) as caught:
        scene.validator.check_draft(xml)
    assert "0900000001" not in str(caught.value.as_dict())
    assert caught.value.place.path.endswith("/Petitioner/Phone")


def test_line_of_the_arrived_bytes_is_told(scene, swap):
    """The place names the line in the file as it came."""
    xml = swap("dossier.received", "<Priority>0", "\n\n<Priority>7")
    with pytest.raises(SchemaViolation) as caught:
        scene.validator.check_draft(xml)
    assert caught.value.place.line == 4


@pytest.mark.parametrize(
    ("old", "new", "en", "vi"),
    [
        ("<Priority>0", "<Priority>5", "does not have the form", "không đúng dạng"),
        (">trial<", ">test<", "must be one of 'production', 'trial'", "phải là một trong"),
        ("<SlipNo>PG-0031", "<SlipNo>" + "x" * 65, "longer than 64", "dài quá 64 ký tự"),
        ("<SlipNo>PG-0031", "<SlipNo>", "not a code", "không phải mã"),
        ("<Service>both</Service>", "", "Agency|Service", "Service"),
        ("<Service>", "<Servise/><Service>", "Servise stands where Service", "có Servise ở chỗ"),
        (
            "</PostalAccepted>",
            "<A/></PostalAccepted>",
            "A is not allowed here",
            "A không được phép",
        ),
        ("<Service>both", "<Service><b/>both", "text is expected here", "phải là chữ"),
        ("<Parts>", "text<Parts>", "text between the elements", "chữ giữa các phần tử"),
        (
            "<AcceptedAt>2026-11-24",
            "<AcceptedAt>2026-11-31",
            "not a date and time",
            "không phải ngày",
        ),
        ("PostalAccepted ", "PostalEaten ", "PostalEaten is not known", "không biết phần tử"),
        ("<PostOffice>", '<PostOffice a="1">', "attribute is not allowed", "thuộc tính"),
        (' schema="1"', "", "the attribute schema is missing", "thiếu thuộc tính schema"),
    ],
)
def test_violation_is_explained_in_both_languages(scene, old: str, new: str, en: str, vi: str):
    """Xmlschema's reasons are told as plain sentences, the Vietnamese ones in Vietnamese."""
    xml = scene.example("postal.accepted").decode()
    assert old in xml
    xml = xml.replace(old, new, 1).replace("</PostalAccepted>", "</PostalEaten>", "Eaten" in new)
    with pytest.raises(SchemaViolation) as caught:
        scene.validator.check_draft(xml.encode())
    assert any(part in caught.value.message("en") for part in en.split("|"))
    assert vi in caught.value.message("vi")


def test_missing_required_field_is_named(scene, swap):
    """A field that is demanded and absent is called missing, or named as what was expected."""
    xml = scene.example("connectivity.pong").decode()
    start, end = xml.index("<AnsweredAt>"), xml.index("</ConnectivityPong>")
    with pytest.raises(SchemaViolation, match="AnsweredAt is missing"):
        scene.validator.check_draft((xml[:start] + xml[end:]).encode())


def test_very_long_document_is_refused_without_explaining_all_of_it(scene):
    """A document of 50 000 elements is refused on libxml2's word, with its line."""
    xml = scene.example("connectivity.ping").decode()
    xml = xml.replace("</Nonce>", "</Nonce>" + "<X/>" * 50_000)
    with pytest.raises(SchemaViolation) as caught:
        scene.validator.check_draft(xml.encode())
    assert caught.value.place.line > 0


@pytest.mark.parametrize(
    "insert",
    [
        "<!-- x -->",
        "<?pi x?>",
        '<x xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/>',
    ],
)
@pytest.mark.parametrize("where", ["<Header>", "</Envelope>"])
def test_drafts_are_held_to_the_envelope_rules_too(scene, insert: str, where: str):
    """Comments, processing instructions and xsi attributes are refused before signing."""
    xml = scene.example("connectivity.ping").decode().replace(where, insert + where)
    with pytest.raises(HubError) as caught:
        scene.validator.check_draft(xml.encode())
    assert caught.value.code == "profile.comment_or_pi"


def test_epilog_comment_is_refused(scene):
    """What stands behind the root counts as well."""
    with pytest.raises(HubError) as caught:
        scene.validator.check_draft(scene.example("connectivity.ping") + b"<!-- x -->")
    assert caught.value.code == "profile.comment_or_pi"


def test_malformed_draft_keeps_its_own_error(scene):
    """XML errors stay XML errors."""
    with pytest.raises(XmlMalformed):
        scene.validator.check_draft(scene.example("connectivity.ping")[:-3])


def _recipients(count: int) -> tuple[AgencyCode, ...]:
    return tuple(AgencyCode.parse(f"H12.{number}") for number in range(100, 100 + count))


def test_two_hundred_recipients_are_allowed_and_one_more_is_not(scene):
    """1 to 200 receivers: the edge is exact and has its own code."""
    draft = scene.draft("connectivity.ping")
    most = replace(draft, header=replace(draft.header, recipients=_recipients(MAX_RECIPIENTS)))
    assert len(scene.validator.check_draft(compose(most)).recipients) == MAX_RECIPIENTS
    more = replace(draft, header=replace(draft.header, recipients=_recipients(MAX_RECIPIENTS + 1)))
    with pytest.raises(HubError) as caught:
        scene.validator.check_draft(compose(more))
    assert caught.value.code == "header.recipient_count"
    assert "201" in caught.value.message("vi")


@pytest.mark.parametrize("priority", range(5))
def test_priorities_zero_to_four_are_allowed(scene, priority: int):
    """0 thường to 4 hỏa tốc hẹn giờ."""
    draft = scene.draft("connectivity.ping")
    xml = compose(replace(draft, header=replace(draft.header, priority=priority)))
    assert scene.validator.check_draft(xml).priority == priority


@pytest.mark.parametrize(("length", "good"), [(1, True), (1000, True), (1001, False), (0, False)])
def test_summary_has_one_to_a_thousand_characters(scene, length: int, good):
    """Lengths count characters, not bytes: 1000 times ế fits."""
    draft = scene.draft("dossier.submitted")
    dossier = {**draft.payload.fields["Dossier"], "Summary": "ế" * length}
    fields = {**draft.payload.fields, "Dossier": dossier}
    xml = compose(replace(draft, payload=Payload(draft.payload.element, fields)))
    if good:
        scene.validator.check_draft(xml)
    else:
        with pytest.raises(SchemaViolation):
            scene.validator.check_draft(xml)


@pytest.mark.parametrize(("length", "good"), [(200, True), (201, False)])
def test_document_id_has_at_most_two_hundred_characters(scene, length: int, good):
    """DocumentId is opaque and bounded."""
    draft = scene.draft("connectivity.ping")
    xml = compose(replace(draft, header=replace(draft.header, document_id="x" * length)))
    if good:
        assert scene.validator.check_draft(xml).document_id == "x" * length
    else:
        with pytest.raises(SchemaViolation):
            scene.validator.check_draft(xml)


def test_test_codes_are_refused_in_production(scene):
    """A test code in a production envelope is told from a malformed one."""
    with pytest.raises(HubError) as caught:
        scene.validator.check_draft(
            scene.example("connectivity.ping", environment=Environment.PRODUCTION)
        )
    assert caught.value.code == "code.test_only"
    assert caught.value.place.path == f"{HEADER}/From"


# ----- attachments


def _carrying(scene, *items: Attachment) -> bytes:
    return compose(replace(scene.draft("connectivity.ping"), attachments=items))


def _inline(name: str, size: int) -> Attachment:
    return Attachment.of(name, "application/octet-stream", bytes(size))


def _code(scene, xml: bytes) -> str:
    with pytest.raises(HubError) as caught:
        scene.validator.check_draft(xml)
    assert caught.value.place.path.startswith("/Envelope")
    assert caught.value.message("vi") != caught.value.message("en")
    return caught.value.code


def test_one_mebibyte_inline_is_allowed_and_one_byte_more_is_not(scene):
    """The inline limit of one attachment is exact."""
    scene.validator.check_draft(_carrying(scene, _inline("a.bin", MAX_INLINE)))
    assert (
        _code(scene, _carrying(scene, _inline("a.bin", MAX_INLINE + 1))) == "attachment.too_large"
    )


def test_four_mebibytes_together_are_allowed_and_one_byte_more_is_not(scene):
    """The inline limit of all attachments together is exact."""
    four = [_inline(f"{number}.bin", MAX_INLINE_TOTAL // 4) for number in range(4)]
    scene.validator.check_draft(_carrying(scene, *four))
    assert _code(scene, _carrying(scene, *four, _inline("5.bin", 1))) == "attachment.too_large"


def test_changed_attachment_is_refused(scene):
    """Size and digest are those of the bytes."""
    good = _inline("a.bin", 9)
    assert _code(scene, _carrying(scene, replace(good, content=b"123456789"))) == (
        "attachment.digest_mismatch"
    )
    assert _code(scene, _carrying(scene, replace(good, size=8))) == "attachment.digest_mismatch"


def test_attachment_without_content_or_claim_is_missing(scene):
    """An attachment has bytes or a claim check."""
    assert _code(scene, _carrying(scene, replace(_inline("a", 1), content=None))) == (
        "attachment.missing"
    )


def test_attachment_with_content_and_claim_is_refused(scene):
    """And never both."""
    good = _inline("a.bin", 9)
    both = replace(good, href=f"blob:sha256:{good.sha256}")
    assert _code(scene, _carrying(scene, both)) == "schema.violation"


def test_two_attachments_of_one_name_are_refused(scene):
    """Payloads refer to attachments by name, so names are unique."""
    assert _code(scene, _carrying(scene, _inline("a", 1), _inline("a", 2))) == "schema.violation"


def test_claim_check_is_read_and_held_to_its_digest(scene):
    """What lies in the object store is named by the digest that is signed."""
    digest = sha256_hex(b"far away")
    far = Attachment("a.pdf", "application/pdf", 8, digest, href=f"blob:sha256:{digest}")
    assert scene.valid(_carrying(scene, far)).attachments() == (far,)
    other = replace(far, href=f"blob:sha256:{sha256_hex(b'other')}")
    assert _code(scene, _carrying(scene, other)) == "attachment.digest_mismatch"


def test_content_that_is_not_base64_is_a_violation(scene, swap):
    """libxml2 skips what is not base64; the hub refuses it."""
    xml = swap("document.new", "<Content>", "<Content>*")
    assert _code(scene, xml) == "schema.violation"


def test_base64_in_lines_is_read(scene, swap):
    """Line breaks inside base64 are allowed and do not count."""
    xml = swap("document.new", "<Content>PD94", "<Content>\nPD\n94")
    assert scene.valid(xml).attachments() == scene.draft("document.new").attachments


def test_reference_to_an_absent_attachment_is_refused(scene):
    """A payload that names an attachment must bring it."""
    draft = scene.draft("document.new")
    assert _code(scene, compose(replace(draft, attachments=()))) == "attachment.missing"


def test_reference_with_another_digest_is_refused(scene):
    """And the digest in the payload is that attachment's."""
    draft = scene.draft("document.new")
    packet = {**draft.payload.fields["Packet"], "Sha256": "0" * 64}
    payload = Payload(draft.payload.element, {**draft.payload.fields, "Packet": packet})
    assert _code(scene, compose(replace(draft, payload=payload))) == "attachment.digest_mismatch"


# ----- the stage's type


def test_valid_envelope_shows_what_was_signed(scene):
    """Header, type, payload, attachments and bytes are those of the verified envelope."""
    draft = scene.draft("document.new")
    verified = scene.verified(compose(draft))
    valid = scene.validator.validate(verified)
    assert valid.verified is verified
    assert (valid.raw, valid.digest) == (verified.raw, sha256_hex(verified.raw))
    assert valid.header == replace(draft.header, signer_certificate=verified.signer_sha256)
    assert valid.spec.name == "document.new"
    assert valid.payload() == draft.payload
    assert valid.attachments() == draft.attachments


def test_repeated_field_is_a_list_even_when_it_occurs_once(scene):
    """The schema, not the message, decides what is a list."""
    fields = scene.valid(scene.example("postal.handover")).payload().fields
    assert [item["OrderNo"] for item in fields["Items"]["Item"]] == ["BC-H99.19-260302-0031"]


def test_blanks_around_a_time_do_not_count(scene, swap):
    """Dates and times collapse white space as XSD says."""
    xml = swap("connectivity.ping", "<SentAt>", "<SentAt> ").replace(
        b"<CreatedAt>", b"<CreatedAt>\n"
    )
    valid = scene.valid(xml)
    assert valid.payload().fields["SentAt"].startswith("2026")
    assert valid.header.created_at.year == 2026


def test_nobody_else_makes_a_valid_envelope(scene):
    """Stages are types: a ValidEnvelope comes from a Validator only."""
    valid = scene.valid(scene.example("connectivity.ping"))
    with pytest.raises(TypeError):
        ValidEnvelope(valid.verified, valid.header, valid.spec, object())


def test_signed_envelope_can_be_checked_like_a_draft(scene):
    """The schema knows the signature too, for those who check files with it."""
    verified = scene.verified(scene.example("connectivity.ping"))
    assert scene.validator.check_draft(verified.raw).signer_certificate == verified.signer_sha256


def test_invalid_content_of_a_verified_envelope_is_refused(scene, swap):
    """A good signature does not make a bad message good."""
    verified = scene.verified(swap("connectivity.ping", "<Priority>0", "<Priority>9"))
    with pytest.raises(SchemaViolation) as caught:
        scene.validator.validate(verified)
    assert caught.value.place.path == f"{HEADER}/Priority"
