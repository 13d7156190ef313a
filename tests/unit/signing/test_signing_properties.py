"""Whatever is changed in a signed envelope, it is refused or still says the same."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from lxml import etree

from hub.errors import HubError
from hub.signing.algorithms import verify
from hub.signing.signer import sign
from hub.signing.trust import TrustStore
from hub.testing.mutations.forge import Recipe, forge, x509_data

BODY = "{urn:lienthong:envelope:1}Body"
XML_TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
    | st.sampled_from("\t\n\r")
)


def refused_or_same(scene, raw: bytes, changed: bytes) -> None:
    """The promise: an error of the tree, or the very same signed bytes."""
    try:
        verified = scene.verify(changed)
    except HubError:
        return
    assert verified.signed_bytes == scene.verify(raw).signed_bytes
    assert verified.raw == changed


@pytest.mark.parametrize("change", ["flip", "delete", "double"])
def test_change_of_any_byte_is_refused_or_means_nothing(scene, change: str):
    """Every single byte of an envelope, flipped in its lowest bit, removed, or written twice."""
    raw = scene.raw
    for place in range(len(raw)):
        byte = raw[place]
        new = {"flip": [byte ^ 1], "delete": [], "double": [byte, byte]}[change]
        refused_or_same(scene, raw, raw[:place] + bytes(new) + raw[place + 1 :])


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10_000), st.integers(0, 30), st.binary(max_size=3))
def test_bytes_put_anywhere_are_refused_or_mean_nothing(scene, place: int, cut: int, put: bytes):
    """Any few bytes in the place of any others."""
    raw = scene.raw
    place %= len(raw)
    refused_or_same(scene, raw, raw[:place] + put + raw[place + cut :])


@settings(max_examples=300, deadline=None)
@given(XML_TEXT, XML_TEXT)
@example("]]>", '"<&>\r\n\t')
@example("\u00e0 a\u0300 \U0001f600 \u2028", "\ufeff")
def test_any_text_survives_signing_and_verifying(ec_scene, text: str, attribute: str):
    """Text and attributes come back from the signed bytes as they went in, NFC or not."""
    root = etree.fromstring(ec_scene.draft)
    answers = root.find(BODY)[0]
    answers[0].text = text
    answers.set("a", attribute)
    verified = ec_scene.verify(sign(etree.tostring(root, encoding="UTF-8"), ec_scene.key))
    found = verified.root.find(BODY)[0]
    assert (found[0].text or "") == text
    assert found.get("a") == attribute


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 255)), min_size=1, max_size=3))
@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
def test_broken_certificate_is_refused_by_our_own_errors(ec_scene, changes):
    """A stranger's certificate with any bytes changed ends in the error tree, nowhere else."""
    der = bytearray(ec_scene.key.certificate_der)
    for place, byte in changes:
        der[place % len(der)] = byte
    changed = bytes(der)
    if changed == ec_scene.key.certificate_der:
        return
    with pytest.raises(HubError) as refused:
        TrustStore(ec_scene.material).judge(changed, ec_scene.now)
    assert refused.value.code.startswith(("trust.", "profile.key_info"))
    shown = forge(ec_scene.raw, ec_scene.key, Recipe(key_info=x509_data(changed)))
    with pytest.raises(HubError):
        ec_scene.verify(shown)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=80))
def test_no_value_but_the_signers_verifies(scene, value: bytes):
    """Any other value, of any length, is a mismatch: zeros and empty ones included."""
    key = scene.key
    for tried in (value, b"\0" * 64, b""):
        with pytest.raises(HubError) as refused:
            verify(key.private.public_key(), key.algorithm, b"data", tried)
        assert refused.value.code == "signature.value_mismatch"
