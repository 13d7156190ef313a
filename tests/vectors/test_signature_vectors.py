"""The golden vectors are judged today as on the day they were made."""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from hub.codes import AgencyCode
from hub.errors import HubError
from hub.signing.trust import Registration, TrustMaterial, TrustStore, material_from_folder
from hub.signing.verifier import Verifier

HERE = Path(__file__).parent
INDEX = json.loads((HERE / "index.json").read_text("utf-8"))
AT = datetime.fromisoformat(INDEX["at"])


@cache
def verifier() -> Verifier:
    """A verifier with the folder's trust material."""
    registrations = tuple(
        Registration(
            agency=AgencyCode.parse(file.stem),
            certificate_der=certificate.public_bytes(Encoding.DER),
            valid_from=certificate.not_valid_before_utc,
        )
        for file in sorted((HERE / "pki" / "agencies").glob("*.pem"))
        for certificate in x509.load_pem_x509_certificates(file.read_bytes())
    )
    folder = material_from_folder(HERE / "pki")
    return Verifier(TrustStore(TrustMaterial(*folder, registrations=registrations)))


@pytest.mark.parametrize("name", INDEX["accepted"])
def test_good_vector_is_accepted(name: str):
    """What the hub, xmlsec1, signxml and the JDK signed in the profile is accepted."""
    verified = verifier().verify((HERE / "accepted" / name).read_bytes(), at=AT)
    assert verified.sender.value == "H12.15"
    assert verified.message_id is not None


@pytest.mark.parametrize("name", INDEX["refused"], ids=lambda one: INDEX["refused"][one]["attack"])
def test_hostile_vector_is_refused_with_its_code(name: str):
    """Each attack is refused by a code that was expected when it was made."""
    with pytest.raises(HubError) as refused:
        verifier().verify((HERE / "refused" / name).read_bytes(), at=AT)
    assert refused.value.code in INDEX["refused"][name]["codes"]


def test_every_file_is_in_the_index():
    """No vector lies in the folder without being judged, and both sides are there."""
    for side in ("accepted", "refused"):
        files = {file.name for file in (HERE / side).iterdir()}
        assert files == set(INDEX[side])
    makers = set(INDEX["accepted"].values())
    assert makers == {"hub.signing.signer", "xmlsec1", "signxml", "JDK"}
    assert len(INDEX["refused"]) > 40
