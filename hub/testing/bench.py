"""The benchmarks behind ``hub bench``: one line of JSON for each measurement.

``verify``: parse, profile, digest, signature, trust, binding and schema of one message, beside
xmlsec1 (through python-xmlsec) doing parse and signature alone, by turns in the same run. ``sign``:
an RSA-2048 envelope and a receipt of the hub. ``relay``: see :mod:`hub.testing.bench_relay`. Keys
and messages are made before the clock starts.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

from lxml import etree

from hub.codes import AgencyCode, Environment
from hub.envelope import DSIG, Header, Receipt, Recipient
from hub.errors import HubError
from hub.routing import voice
from hub.routing.snapshot import new_id
from hub.schemas.example import example
from hub.schemas.receipts import compose_receipt
from hub.schemas.validate import Validator
from hub.signing import signer
from hub.signing.keys import SigningKey
from hub.signing.trust import TrustStore
from hub.signing.verifier import Verifier
from hub.testing.bench_relay import relay
from hub.testing.measure import Measurement, Running, taken_in_turns
from hub.testing.pki import TestPki

SENDER, RECEIVER, HUB = "H12.15", "H13.15", "00.99.W00"
TYPE = "document.status"
DISTINCT = 500
"""Different messages that are measured in turn, so that no cache sees the same bytes twice soon."""
WARM_UP = 200


def signed_of_size(key: SigningKey, size: int, at: datetime, *, type_: str = TYPE) -> bytes:
    """Return a fresh signed envelope of exactly ``size`` bytes (RSA: the signature's length holds).

    Raises ``UsageError`` for a size that is too small or too large.
    """
    plain = _draft(at, type_, None)
    overhead = len(signer.sign(plain, key)) - len(plain)
    return signer.sign(_draft(at, type_, size - overhead), key)


def _draft(at: datetime, type_: str, size: int | None) -> bytes:
    return example(
        type_,
        AgencyCode.parse(SENDER),
        [AgencyCode.parse(RECEIVER)],
        now=at,
        environment=Environment.TRIAL,
        size=size,
        message_id=new_id(at),
    )


def verify(size: int, count: int) -> Iterator[Measurement]:
    """Measure the strict verifier with the schema, then xmlsec on the very same messages."""
    at = datetime.now(UTC)
    pki = TestPki.make([SENDER], now=at)
    key = pki.agency(SENDER)
    messages = [signed_of_size(key, size, at) for _each in range(min(count, DISTINCT))]
    verifier, validator = Verifier(TrustStore(pki.material())), Validator()
    spent = {"verify": 0.0, "validate": 0.0}

    def ours(number: int) -> None:
        started = perf_counter()
        verified = verifier.verify(messages[number % len(messages)], at=at)
        middle = perf_counter()
        validator.validate(verified)
        spent["verify"] += middle - started
        spent["validate"] += perf_counter() - middle

    facts = {"bytes": len(messages[0]), "algorithm": key.algorithm.name}
    _warm(ours)
    spent.update(verify=0.0, validate=0.0)
    running = [Running("verify", ours, facts, lambda: spent)]
    if importlib.util.find_spec("xmlsec") is not None:
        theirs = _xmlsec(messages, key)
        _warm(theirs)
        running.append(Running("verify-xmlsec", theirs, facts))
    yield from taken_in_turns(running, count)


def _warm(work: Callable[[int], object]) -> None:
    for number in range(WARM_UP):
        work(number)


def _xmlsec(messages: Sequence[bytes], key: SigningKey) -> Callable[[int], None]:
    """Parse and verify with xmlsec1 and the signer's key: no trust, no binding, no schema."""
    import xmlsec  # noqa: PLC0415  a developers' extra: the benchmark runs without it too

    public: Any = xmlsec.Key.from_memory(key.certificate_der, xmlsec.constants.KeyDataFormatCertDer)
    signature = f"{{{DSIG}}}Signature"

    def work(number: int) -> None:
        root = etree.fromstring(messages[number % len(messages)])
        context = xmlsec.SignatureContext()
        context.key = public
        context.verify(root.find(signature))  # type: ignore[arg-type]  # it stands in every message

    return work


def sign(size: int, count: int) -> Iterator[Measurement]:
    """Measure signing an agency's draft (RSA-2048), and composing and signing a receipt (P-256)."""
    at = datetime.now(UTC)
    pki = TestPki.make([SENDER], now=at)
    key, hub = pki.agency(SENDER), pki.agency(HUB, "p256")
    probe = _draft(at, TYPE, None)
    draft = _draft(at, TYPE, size - (len(signer.sign(probe, key)) - len(probe)))
    facts = {"bytes": size, "algorithm": key.algorithm.name}
    yield from taken_in_turns([Running("sign", lambda _n: signer.sign(draft, key), facts)], count)
    header, receipt = _receipt(at, hub)

    def say(_number: int) -> None:
        signer.sign_canonical(compose_receipt(receipt, header=header), hub)

    yield from taken_in_turns(
        [Running("sign-receipt", say, {"algorithm": hub.algorithm.name})], count
    )


def _receipt(at: datetime, key: SigningKey) -> tuple[Header, Receipt]:
    subject, sender = new_id(at), AgencyCode.parse(SENDER)
    header = Header(
        message_id=new_id(at),
        environment=Environment.TRIAL,
        type=voice.ACCEPTED,
        sender=AgencyCode.parse(HUB),
        recipients=(sender,),
        conversation_id=subject,
        created_at=at,
        in_reply_to=subject,
        signer_certificate=key.certificate_sha256,
    )
    told = Recipient(AgencyCode.parse(RECEIVER), "queued", AgencyCode.parse(RECEIVER), "exact")
    return header, Receipt(voice.ACCEPTED, subject, sender, "0" * 64, at, (told,))


BENCHES: dict[str, tuple[Callable[[int, int], Iterator[Measurement]], int, int]] = {
    "verify": (verify, 4096, 20_000),
    "sign": (sign, 4096, 3_000),
    "relay": (relay, 10_240, 4_000),
}
"""Name → function, default size in bytes, default count."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one benchmark and print its lines."""
    parser = argparse.ArgumentParser(prog="hub bench", description=main.__doc__)
    parser.add_argument("what", choices=sorted(BENCHES))
    parser.add_argument("--size", type=int, help="bytes of a signed envelope")
    parser.add_argument("--count", type=int, help="messages")
    parser.add_argument("--json", action="store_true", help="lines of JSON (always)")
    options = parser.parse_args(argv)
    work, size, count = BENCHES[options.what]
    try:
        for measurement in work(options.size or size, options.count or count):
            sys.stdout.write(measurement.line() + "\n")
            sys.stdout.flush()
    except HubError as error:
        sys.stderr.write(f"hub bench: {error}\n")
        return 2 if error.code.startswith("usage.") else 1
    if options.what == "verify" and importlib.util.find_spec("xmlsec") is None:
        absent = {"name": "verify-xmlsec", "not_run": "python-xmlsec is not installed"}
        sys.stdout.write(json.dumps(absent) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
