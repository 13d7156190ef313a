"""(d) Four forgeries: quarantined, recorded, counted; delivered to nobody, answered to nobody."""

from __future__ import annotations

from functools import partial
from hashlib import sha256

from hub.signing.keys import SigningKey, load_pem
from hub.store.messages import quarantined_by_code
from hub.testing.mutations import MUTATIONS
from hub.testing.mutations.forge import forge
from hub.testing.pki import TestPki
from hub.testing.scenario import cast
from hub.testing.scenario.stage import Stage, Step, equal, now, until

EXPECTED = {
    "changed byte": "signature.digest_mismatch",
    "other agency's key": "trust.signer_mismatch",
    "wrapped body": "profile.signature_place",
    "attacker's certificate": "trust.unknown_issuer",
}


def forged(stage: Stage) -> str:
    """Send all four from the sender's own account, then a good one: only that has effects."""
    clerk, office = stage.agency(cast.CLERK), stage.agency(cast.OFFICE)
    before = quarantined_by_code(stage.store)
    draft = clerk.draft("document.new", cast.OFFICE)
    good = clerk.signed(draft)
    hostile = _hostile(stage, good)
    clerk.send(draft.header, *hostile.values())
    for name, raw in hostile.items():
        until(partial(_recorded, stage, raw), name)
    after = quarantined_by_code(stage.store)
    counted = {code: after[code] - before.get(code, 0) for code in after}
    equal("counted", {c: n for c, n in counted.items() if n}, dict.fromkeys(EXPECTED.values(), 1))
    equal(
        "messages",
        [one["state"] for one in stage.life(draft.header.message_id.value)].count("accepted"),
        0,
    )
    clerk.send(draft.header, good)
    # Queues keep their order: had anything been answered or delivered, it would have come first.
    (first,) = clerk.take(lambda _any: True)
    equal("first answer", (first.type, first.receipt().subject_digest), _accepted(good))
    (only,) = office.take(lambda _any: True)
    equal("first delivery", sha256(only.raw).hexdigest(), sha256(good).hexdigest())
    equal("more", [one.type for one in office.nothing_more()], [])
    return ", ".join(f"{name}: {code}" for name, code in EXPECTED.items())


def _accepted(raw: bytes) -> tuple[str, str]:
    return "receipt.accepted", sha256(raw).hexdigest()


def _recorded(stage: Stage, raw: bytes) -> bool:
    with stage.store.read() as connection:
        found = connection.exec_driver_sql(
            "select count(*) from quarantine where digest = ?", (sha256(raw).hexdigest(),)
        )
        return found.scalar() == 1


def _hostile(stage: Stage, good: bytes) -> dict[str, bytes]:
    pki = TestPki.make(now=now())
    attacker = pki.key(cast.CLERK, "p256", issuer=pki.attacker)
    wrapped = next(one for one in MUTATIONS if one.name == "envelope wrapped")
    made = (
        good.replace(b"<Priority>0<", b"<Priority>1<"),
        forge(good, _key(stage, cast.STRANGER)),
        wrapped.apply(good, pki),
        forge(good, attacker),
    )
    return dict(zip(EXPECTED, made, strict=True))


def _key(stage: Stage, agency: str) -> SigningKey:
    folder = stage.settings.pki / "agencies" / agency
    return load_pem(folder / "key.pem", folder / "cert.pem")


STEP = Step(
    ("d. Bốn kiểu giả mạo", "d. Four forgeries"),
    (
        "cách ly, ghi lại, đếm; không giao, không trả lời",
        "quarantined, recorded, counted; no delivery, no answer",
    ),
    forged,
)
