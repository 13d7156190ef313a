"""Reading bytes that are their own canonical form yields what reading in general yields."""

from __future__ import annotations

from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hub.errors import HubError
from hub.signing import as_signed
from hub.signing.signer import sign_canonical
from hub.testing.mutations import MUTATIONS, Mutation

PIECES = [b"\r", b"\n", b"\t", b"\x0c", b" ", b"&#xD;", b"&#x41;", b"&amp;", b"&", b"<!---->",
          b"<![CDATA[]]>", b"<?pi ?>", b"<!DOCTYPE x>", b"\xef\xbb\xbf", b"\xc2\x85", b"\x00",
          b"</Envelope>", b"<ds:Signature ", b' xml:space="preserve"', b' xmlns:u="urn:x"',
          b' Id="a"', b"\xe1\xbb\x87", b"\xff", b"=", b"A", b"'", b'"', b">"]  # fmt: skip


def outcome(scene, raw: bytes) -> tuple[str, bytes]:
    """The code that refuses, or what the signature covers."""
    try:
        return "", scene.verify(raw).signed_bytes
    except HubError as error:
        return error.code, b""


def both(scene, raw: bytes) -> tuple[str, bytes]:
    """The outcome, which is the same when nothing is taken as already canonical."""
    seen = outcome(scene, raw)
    with patch.object(as_signed, "read", return_value=None):
        general = outcome(scene, raw)
    assert seen == general
    return seen


def test_what_our_signer_writes_is_read_once(scene):
    """The claims, the covered bytes and the tree are those of the general reading."""
    found = as_signed.read(scene.raw)
    assert found is not None
    signature, covered, root = found
    verified = scene.verify(scene.raw)
    assert covered == verified.signed_bytes
    assert root.tag == verified.root.tag
    assert signature.certificate_der == scene.key.certificate_der
    assert both(scene, scene.raw)[0] == ""


@pytest.mark.parametrize("attack", MUTATIONS, ids=lambda attack: attack.name)
def test_attack_has_one_outcome(scene, attack: Mutation):
    """Every attack is refused with the same code by both readings."""
    assert both(scene, attack.apply(scene.raw, scene.pki))[0] in attack.expected_codes


@pytest.mark.parametrize("piece", PIECES, ids=repr)
def test_piece_put_anywhere_has_one_outcome(ec_scene, piece: bytes):
    """What XML normalises or forbids, put at every seventh place: no reading lets more pass."""
    raw = ec_scene.raw
    for place in range(0, len(raw) + 1, 7):
        both(ec_scene, raw[:place] + piece + raw[place:])


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10_000), st.integers(0, 40), st.sampled_from(PIECES) | st.binary(max_size=3))
@example(0, 39, b"")
def test_changed_bytes_have_one_outcome(scene, place: int, cut: int, put: bytes):
    """Any few bytes in the place of any others."""
    raw = scene.raw
    place %= len(raw)
    both(scene, raw[:place] + put + raw[place + cut :])


def test_longer_envelopes_are_read_in_general(ec_scene):
    """At the edge: 512 KiB are still read at once, a byte more is not; both are accepted."""
    room = as_signed.MAX_BYTES - len(ec_scene.raw)
    for more in (room, room + 1):
        text = b"H" * (more + 1)
        raw = ec_scene.resigned(ec_scene.draft.replace("Hài".encode(), text + "ài".encode()))
        assert (as_signed.read(raw) is None) is (len(raw) > as_signed.MAX_BYTES)
        assert both(ec_scene, raw)[0] == ""


def element(attributes: int) -> str:
    """A canonical element with so many attributes."""
    written = [f' a{number:02}="1"' for number in range(attributes)]
    return f"<a{''.join(written)}></a>"


@pytest.mark.parametrize(
    ("inside", "code"),
    [
        ("<a>" * 61 + "</a>" * 61, ""),
        ("<a>" * 62 + "</a>" * 62, "xml.too_deep"),
        (element(attributes=32), ""),
        (element(attributes=33), "xml.too_deep"),
    ],
    ids=["64 levels", "65 levels", "32 attributes", "33 attributes"],
)
def test_limits_hold_in_both_readings(ec_scene, inside: str, code: str):
    """At the edge of each limit, and one beyond it; what is within is read at once."""
    covered = ec_scene.verify(ec_scene.raw).signed_bytes
    there = covered.index(b"<Plain ")
    raw = sign_canonical(covered[:there] + inside.encode() + covered[there:], ec_scene.key)
    assert both(ec_scene, raw)[0] == code
    assert (as_signed.read(raw) is None) is bool(code)
