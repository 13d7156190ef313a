"""No attack on a signed envelope passes, and each is refused for the right reason."""

from __future__ import annotations

import pytest

from hub.errors import HubError
from hub.signing import algorithms
from hub.testing.mutations import MUTATIONS, Mutation
from hub.testing.mutations.base import tree
from hub.testing.mutations.forge import forge


@pytest.mark.parametrize("attack", MUTATIONS, ids=lambda attack: attack.name)
def test_attack_is_refused_with_its_code(scene, attack: Mutation):
    """Every mutation is refused, with one of the codes that describe it."""
    hostile = attack.apply(scene.raw, scene.pki)
    assert hostile != scene.raw
    with pytest.raises(HubError) as refused:
        scene.verify(hostile)
    assert refused.value.code in attack.expected_codes
    assert refused.value.disposition.value == "quarantine"


def test_what_the_attacks_are_made_with_changes_nothing_by_itself(scene):
    """Serialising again, and signing anew by the general signer, yield what is accepted."""
    kept = scene.verify(scene.raw).signed_bytes
    assert scene.verify(tree(lambda _root: None)(scene.raw, scene.pki)).signed_bytes == kept
    assert scene.verify(forge(scene.raw, scene.key)).signed_bytes == kept


def test_attacks_have_names_of_their_own():
    """Each attack can be named, and there are more than the forty that were asked for."""
    assert len({attack.name for attack in MUTATIONS}) == len(MUTATIONS) > 40


def test_nothing_is_computed_with_a_key_for_what_the_profile_refuses(
    rsa_scene, monkeypatch: pytest.MonkeyPatch
):
    """XML, profile and digest are judged before any public-key operation."""
    calls = []
    real = algorithms.verify
    monkeypatch.setattr(algorithms, "verify", lambda *all_: (calls.append(1), real(*all_)))
    early = ("xml.", "profile.", "signature.digest_mismatch")
    for attack in MUTATIONS:
        if all(code.startswith(early) for code in attack.expected_codes):
            if attack.name == "algorithm of another kind of key":
                continue  # the method is allowed; only the key's kind tells, and no sum is done
            with pytest.raises(HubError):
                rsa_scene.verify(attack.apply(rsa_scene.raw, rsa_scene.pki))
            assert not calls, attack.name
    rsa_scene.verify(rsa_scene.raw)
    assert calls
