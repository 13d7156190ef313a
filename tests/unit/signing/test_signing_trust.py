"""Who may sign for whom, and when: registrations, gateways, chains, revocation, remembering."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from hub.codes import AgencyCode
from hub.errors import (
    HubError,
    KeyUnreadable,
    NotInDate,
    RevocationUnknown,
    Revoked,
    SignerMismatch,
    UnknownIssuer,
    Unregistered,
)
from hub.signing import certpath
from hub.signing.policy import STRICT_V1
from hub.signing.signer import sign
from hub.signing.trust import Represents, TrustStore, material_from_folder
from hub.testing.pki import YEAR, Authority, TestPki

DAY, HOUR, INSTANT = timedelta(days=1), timedelta(hours=1), timedelta(microseconds=1)
ACCEPT = replace(STRICT_V1, revocation_unknown="accept")
H12, H13, GATEWAY = (AgencyCode.parse(one) for one in ("H12.15", "H13.15", "00.26.W00"))


@pytest.fixture(scope="module")
def pki(ec_scene) -> TestPki:
    return ec_scene.pki


def registered(pki: TestPki, key, **changes):
    """A registration for H12.15 with some fields changed."""
    return replace(pki.registration("H12.15", key), **changes)


def store(pki: TestPki, *rows, policy=STRICT_V1, **changes) -> TrustStore:
    """A trust store in which only these registrations stand."""
    return TrustStore(replace(pki.material(), registrations=rows, **changes), policy)


def allowed(trust: TrustStore, key, at: datetime, sender: AgencyCode = H12):
    """The gateway that signed, or ``None`` for the agency itself; raises what refuses."""
    return trust.authorise(trust.judge(key.certificate_der, at), sender, at)


def revocation_list(
    authority: Authority,
    now: datetime,
    *entries: tuple[x509.Certificate, datetime],
    ends: timedelta = YEAR,
) -> bytes:
    """A list that names certificates as revoked at chosen times."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.certificate.subject)
        .last_update(now - 4 * DAY)
        .next_update(now + ends)
        .add_extension(x509.CRLNumber(1), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()),
            critical=False,
        )
    )
    for certificate, date in entries:
        entry = x509.RevokedCertificateBuilder().serial_number(certificate.serial_number)
        builder = builder.add_revoked_certificate(entry.revocation_date(date).build())
    return builder.sign(authority.key, SHA256()).public_bytes(Encoding.DER)


# Registrations -------------------------------------------------------------------------------


def test_certificates_of_one_agency_may_overlap(pki: TestPki):
    """Old and new certificate both sign while both are registered, each only in its own time."""
    old, new = pki.key("old", "p256"), pki.key("new", "p256")
    now = pki.now
    trust = store(
        pki,
        registered(pki, old, valid_from=now - 30 * DAY, valid_to=now + 5 * DAY),
        registered(pki, new, valid_from=now - 5 * DAY, valid_to=None),
    )
    assert allowed(trust, old, now) is allowed(trust, new, now) is None
    assert allowed(trust, old, now - 10 * DAY) is allowed(trust, new, now + 10 * DAY) is None
    for key, at in ((new, now - 10 * DAY), (old, now + 5 * DAY), (old, now + 10 * DAY)):
        with pytest.raises(NotInDate):
            allowed(trust, key, at)
    both = {old.certificate_sha256, new.certificate_sha256}
    assert trust.certificates_of(H12, now) == both
    assert trust.certificates_of(H12, now + 10 * DAY) == {new.certificate_sha256}


def test_retired_certificate_signs_no_more(pki: TestPki):
    """From the instant of retirement on, a certificate in date is refused; before, it was good."""
    key = pki.agency("H12.15")
    trust = store(pki, registered(pki, key, retired_at=pki.now))
    assert allowed(trust, key, pki.now - INSTANT) is None
    with pytest.raises(NotInDate):
        allowed(trust, key, pki.now)


def test_one_certificate_may_be_registered_again(pki: TestPki):
    """A second row for the same certificate and agency opens what the first one closed."""
    key = pki.agency("H12.15")
    first = registered(pki, key, retired_at=pki.now - 10 * DAY)
    trust = store(pki, first, registered(pki, key, valid_from=pki.now))
    assert allowed(trust, key, pki.now) is None
    with pytest.raises(NotInDate):
        allowed(trust, key, pki.now - DAY)


def test_certificate_of_nobody_and_of_somebody_else_are_told_apart(pki: TestPki):
    """Registered nowhere, or for another agency: both are refused, by codes of their own."""
    key = pki.agency("H12.15")
    with pytest.raises(Unregistered):
        allowed(store(pki), key, pki.now)
    with pytest.raises(SignerMismatch, match=r"H13\.15"):
        allowed(store(pki, registered(pki, key)), key, pki.now, H13)


def test_agency_signs_under_its_old_code_too(pki: TestPki):
    """An alias is the agency itself, for registrations and for ``certificates_of``."""
    key = pki.agency("H12.15")
    old = AgencyCode.parse("000.00.13.H12")
    trust = store(pki, registered(pki, key), aliases={old.value: "H12.15"})
    assert allowed(trust, key, pki.now, old) is None
    assert trust.certificates_of(old, pki.now) == {key.certificate_sha256}
    with pytest.raises(SignerMismatch):
        allowed(store(pki, registered(pki, key)), key, pki.now, old)


# Gateways ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def gateway(pki: TestPki):
    return pki.key("gateway", "p256")


def acting(pki: TestPki, gateway, *rows: Represents, **changes) -> TrustStore:
    own = replace(pki.registration(GATEWAY.value, gateway), **changes)
    return store(pki, own, represents=rows)


def test_gateway_signs_for_whom_it_represents_while_it_does(pki: TestPki, gateway):
    """The row's start is inside, its end is not; the verdict names the gateway."""
    row = Represents(GATEWAY, H12, pki.now - DAY, pki.now + DAY)
    trust = acting(pki, gateway, row)
    assert allowed(trust, gateway, pki.now - DAY) == GATEWAY
    assert allowed(trust, gateway, pki.now + DAY - INSTANT) == GATEWAY
    assert allowed(trust, gateway, pki.now, GATEWAY) is None
    for at in (pki.now - DAY - INSTANT, pki.now + DAY):
        with pytest.raises(SignerMismatch):
            allowed(trust, gateway, at)
    with pytest.raises(SignerMismatch):
        allowed(trust, gateway, pki.now, H13)


def test_retired_gateway_represents_nobody(pki: TestPki, gateway):
    """A gateway whose own certificate is retired cannot speak for others either."""
    row = Represents(GATEWAY, H12, pki.now - DAY)
    trust = acting(pki, gateway, row, retired_at=pki.now)
    assert allowed(trust, gateway, pki.now - HOUR) == GATEWAY
    with pytest.raises(SignerMismatch):
        allowed(trust, gateway, pki.now)


def test_gateways_envelope_is_marked(ec_scene, pki: TestPki, gateway):
    """The verified envelope keeps its sender and says by which gateway it was signed."""
    own = pki.registration(GATEWAY.value, gateway)
    row = Represents(GATEWAY, H12, pki.now - DAY)
    material = replace(ec_scene.material, registrations=(own,), represents=(row,))
    verifier = type(ec_scene.verifier)(TrustStore(material))
    verified = verifier.verify(sign(ec_scene.draft, gateway), at=pki.now)
    assert (verified.sender, verified.by_gateway) == (H12, GATEWAY)


# Chains --------------------------------------------------------------------------------------


def test_certificates_are_judged_at_arrival(pki: TestPki):
    """Expired or not yet valid at the time of arrival is refused, on both sides to the second."""
    key = pki.key("short", "p256", begins=-DAY, ends=DAY)
    trust = store(pki)
    for at in (pki.now - DAY, pki.now + DAY):
        assert trust.judge(key.certificate_der, at).revocation == "good"
    for at in (pki.now - DAY - timedelta(seconds=1), pki.now + DAY + timedelta(seconds=1)):
        with pytest.raises(NotInDate):
            trust.judge(key.certificate_der, at)


def test_anchor_has_to_be_in_date_itself(pki: TestPki):
    """A root that ran out vouches for nobody, even if what it issued lasts longer."""
    root = Authority.root("Old root", pki.now - 10 * YEAR - DAY)
    key = pki.key("H12.15", "p256", issuer=root)
    trust = store(pki, anchors=(root.der,), crls=(root.crl(pki.now),))
    assert trust.judge(key.certificate_der, pki.now - 3 * DAY).revocation == "good"
    with pytest.raises(NotInDate):
        trust.judge(key.certificate_der, pki.now)


def test_authority_of_the_same_name_is_another_one(pki: TestPki):
    """A CA that calls itself like ours signs with another key, and is unknown."""
    impostor = Authority.root("CA thử nghiệm", pki.now)
    key = pki.key("H12.15", "p256", issuer=impostor)
    with pytest.raises(UnknownIssuer):
        store(pki).judge(key.certificate_der, pki.now)


def test_missing_intermediate_is_not_fetched(pki: TestPki, monkeypatch: pytest.MonkeyPatch):
    """Without its issuer in the local pool a certificate is unknown, and no socket is opened."""
    opened = []
    monkeypatch.setattr("socket.socket.connect", lambda *all_: opened.append(all_))
    monkeypatch.setattr("socket.getaddrinfo", lambda *all_, **_named: opened.append(all_))
    with pytest.raises(UnknownIssuer):
        store(pki, intermediates=()).judge(pki.agency("H12.15").certificate_der, pki.now)
    assert opened == []


def test_end_entity_issues_nothing(pki: TestPki):
    """A certificate 'issued' by an agency's own key has no chain."""
    agency = pki.agency("H12.15")
    rogue = Authority(agency.private, agency.certificate)
    key = pki.key("below", "p256", issuer=rogue)
    trust = store(pki, intermediates=(pki.issuing.der, agency.certificate_der))
    with pytest.raises(HubError) as refused:
        trust.judge(key.certificate_der, pki.now)
    assert refused.value.code in {"trust.unknown_issuer", "trust.key_usage"}


# Revocation ----------------------------------------------------------------------------------


def test_revoked_certificate_is_refused(ec_scene):
    """A certificate on its issuer's list is refused by its code."""
    pki = TestPki.make(now=ec_scene.now)
    key = pki.key("H12.15", "p256", revoked=True)
    with pytest.raises(Revoked):
        store(pki, pki.registration("H12.15", key)).judge(key.certificate_der, pki.now)


def test_revoked_authority_takes_its_certificates_along(ec_scene):
    """When the root revokes the issuing CA, whatever that issued is refused."""
    pki = TestPki.make(now=ec_scene.now)
    key = pki.agency("H12.15", "p256")
    pki.root.revoked.append(pki.issuing.certificate)
    with pytest.raises(Revoked):
        store(pki).judge(key.certificate_der, pki.now)


@pytest.mark.parametrize("missing", ["all", "root's", "issuer's", "stale"])
def test_unknown_revocation_is_the_policys_to_judge(pki: TestPki, missing: str):
    """Without a fresh list at each step the state is unknown: refused, or accepted and told so."""
    root, issuing = pki.root.crl(pki.now), pki.issuing.crl(pki.now)
    stale = revocation_list(pki.issuing, pki.now, ends=-DAY)
    lists = {"all": (), "root's": (issuing,), "issuer's": (root,), "stale": (root, stale)}[missing]
    key = pki.agency("H12.15")
    with pytest.raises(RevocationUnknown):
        store(pki, crls=lists).judge(key.certificate_der, pki.now)
    standing = store(pki, crls=lists, policy=ACCEPT).judge(key.certificate_der, pki.now)
    assert standing.revocation == "unknown"
    assert store(pki, policy=ACCEPT).judge(key.certificate_der, pki.now).revocation == "good"


@pytest.mark.parametrize("policy", [STRICT_V1, ACCEPT], ids=["refuse", "accept"])
@pytest.mark.parametrize("ends", [YEAR, -DAY], ids=["fresh", "stale"])
def test_what_a_list_names_is_revoked_even_if_others_are_missing(pki: TestPki, policy, ends):
    """An unknown state higher up, or a stale list, never hides a revocation that is listed."""
    key = pki.agency("H12.15")
    listed = revocation_list(pki.issuing, pki.now, (key.certificate, pki.now - 3 * DAY), ends=ends)
    with pytest.raises(Revoked):
        store(pki, crls=(listed,), policy=policy).judge(key.certificate_der, pki.now)


def test_list_of_a_stranger_revokes_nothing(pki: TestPki):
    """A list in our CA's name but signed by another key says nothing, for good or ill."""
    key = pki.agency("H12.15")
    stranger = replace(pki.issuing, key=pki.attacker.key)
    forged = revocation_list(stranger, pki.now, (key.certificate, pki.now - DAY))
    both = (pki.root.crl(pki.now), forged)
    with pytest.raises(RevocationUnknown):
        store(pki, crls=both).judge(key.certificate_der, pki.now)
    standing = store(pki, crls=both, policy=ACCEPT).judge(key.certificate_der, pki.now)
    assert standing.revocation == "unknown"


# Remembering ---------------------------------------------------------------------------------


def test_judgement_is_remembered(pki: TestPki, monkeypatch: pytest.MonkeyPatch):
    """A certificate is judged once; after that its standing is looked up."""
    trust, der = store(pki), pki.agency("H12.15").certificate_der
    first = trust.judge(der, pki.now)
    monkeypatch.setattr(certpath.PathFinder, "find", lambda *_all: pytest.fail("judged again"))
    assert trust.judge(der, pki.now + DAY) is first


@pytest.mark.parametrize("lists", [True, False], ids=["lists", "no lists"])
def test_unknown_state_is_remembered_too(pki: TestPki, monkeypatch, lists: bool):  # noqa: FBT001  pytest hands it by name
    """Under ``accept`` a missing list does not cost a judgement for every message."""
    crls = (pki.root.crl(pki.now),) if lists else ()
    trust, der = store(pki, crls=crls, policy=ACCEPT), pki.agency("H12.15").certificate_der
    first = trust.judge(der, pki.now)
    monkeypatch.setattr(certpath.PathFinder, "find", lambda *_all: pytest.fail("judged again"))
    assert trust.judge(der, pki.now + HOUR) is first


def test_memory_never_outlives_a_revocation(pki: TestPki):
    """A certificate that was good before its listed revocation date is refused from then on."""
    key = pki.agency("H12.15")
    date = pki.now + 10 * DAY
    lists = (pki.root.crl(pki.now), revocation_list(pki.issuing, pki.now, (key.certificate, date)))
    trust = store(pki, crls=lists)
    assert trust.judge(key.certificate_der, date - INSTANT).revocation == "good"
    for at in (date, date + DAY):
        with pytest.raises(Revoked):
            trust.judge(key.certificate_der, at)
    assert trust.judge(key.certificate_der, pki.now).revocation == "good"


def test_memory_never_outlives_a_list(pki: TestPki):
    """When the list runs out the state is unknown again, in whichever order one asks."""
    key = pki.agency("H12.15")
    lists = (pki.root.crl(pki.now), revocation_list(pki.issuing, pki.now, ends=DAY))
    trust = store(pki, crls=lists)
    tolerant = store(pki, crls=lists, policy=ACCEPT)
    late = pki.now + DAY + timedelta(seconds=1)
    assert tolerant.judge(key.certificate_der, late).revocation == "unknown"
    assert tolerant.judge(key.certificate_der, pki.now).revocation == "good"
    assert tolerant.judge(key.certificate_der, late).revocation == "unknown"
    assert trust.judge(key.certificate_der, pki.now).revocation == "good"
    with pytest.raises(RevocationUnknown):
        trust.judge(key.certificate_der, late)


def test_naive_time_is_a_fault_of_the_caller(pki: TestPki):
    """A time without its offset is no time: the caller is told, not the certificate blamed."""
    with pytest.raises(ValueError, match="naive"):
        store(pki).judge(pki.agency("H12.15").certificate_der, pki.now.replace(tzinfo=None))


# Folder --------------------------------------------------------------------------------------


def test_folder_holds_the_material(pki: TestPki, tmp_path):
    """Anchors, intermediates and lists come back as DER, from PEM or DER; other files do not."""
    issuing = pki.issuing.crl(pki.now)
    pem = x509.load_der_x509_crl(pki.root.crl(pki.now)).public_bytes(Encoding.PEM)
    files = {
        "anchors/root.pem": pki.root.certificate.public_bytes(Encoding.PEM),
        "anchors/note.txt": b"x",
        "intermediates/both.pem": pki.issuing.certificate.public_bytes(Encoding.PEM) * 2,
        "crls/issuing.crl": issuing,
        "crls/root.pem": pem,
        "crls/readme": b"x",
    }
    for name, data in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    anchors, between, crls = material_from_folder(tmp_path)
    assert (anchors, between) == ((pki.root.der,), (pki.issuing.der,) * 2)
    assert crls[0] == issuing
    assert len(crls) == 2
    assert material_from_folder(tmp_path / "none") == ((), (), ())


@pytest.mark.parametrize("name", ["anchors/a.pem", "intermediates/i.pem", "crls/c.crl"])
def test_broken_file_of_the_folder_is_named(tmp_path, name: str):
    """Trust material that cannot be read stops the start and names its file."""
    (tmp_path / name).parent.mkdir()
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(KeyUnreadable, match=name.split("/")[1]):
        material_from_folder(tmp_path)
