"""``hub example``, ``hub sign``, ``hub verify``: every type, every hostile input, every option."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hub.schemas.catalog import catalogue

KEYS = {"file", "accepted", "code", "disposition", "message_id", "from", "to", "type", "signer",
        "detail"}  # fmt: skip
PKI = "pki/agencies"


def test_every_type_is_made_signed_and_accepted(hub, tmp_path):
    """An example of each message type of the table passes the router's own judgement."""
    files = []
    for name in catalogue():
        plain, file = tmp_path / f"{name}.xml", tmp_path / f"{name}.signed.xml"
        made = hub("example", name, "--from", "H12.15", "--to", "H12.03", "--to", "H12.05")
        assert made.status == 0, made.err
        plain.write_bytes(made.raw)
        assert hub("sign", plain, "--as", "H12.15", "-o", file).status == 0
        files.append(file)
    judged = hub("verify", *files, "--json")
    assert [(line["type"], line["accepted"], line["code"]) for line in judged.lines] == [
        (name, True, "") for name in catalogue()
    ]
    assert judged.status == 0


@pytest.mark.parametrize("size", [2_000, 20_000, 1_000_000])
def test_an_example_has_the_size_that_was_asked_for(hub, tmp_path, size):
    """``--size`` is the size in bytes, exactly, and the envelope stays acceptable."""
    made = hub("example", "dossier.submitted", "--from", "H12.15", "--to", "H12.03",
               "--size", size)  # fmt: skip
    assert len(made.raw) == size
    plain, file = tmp_path / "plain.xml", tmp_path / "signed.xml"
    plain.write_bytes(made.raw)
    assert hub("sign", plain, "--as", "H12.15", "-o", file).status == 0
    assert hub("verify", file).status == 0


def test_an_example_needs_no_home(bare):
    """Without a home it is one of the trial environment."""
    made = bare("--home", "none", "example", "connectivity.ping", "--from", "H12.15",
               "--to", "H12.03")  # fmt: skip
    assert made.status == 0
    assert b">trial<" in made.raw


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("no.such", "--from", "H12.15", "--to", "H12.03"), 2, "no.such"),
        (("dossier.submitted", "--from", "x", "--to", "H12.03"), 2, "--from"),
        (("dossier.submitted", "--from", "H12.15", "--to", "?"), 2, "--to"),
        (("dossier.submitted", "--from", "H12.15"), 2, "--to"),
        (("dossier.submitted", "--from", "H12.15", "--to", "H12.03", "--size", "10"), 2, "10"),
        (("dossier.submitted", "--from", "H12.15", "--to", "H12.03", "--size", "0"), 2, "--size"),
        (("dossier.submitted", "--from", "H12.15", "--to", "H12.3", "--to", "H12.3"), 1, "H12.3"),
        (
            ("dossier.submitted", "--from", "H12.15",
             *(word for n in range(201) for word in ("--to", f"H12.{n}"))), 1, "201",
        ),
    ],
)  # fmt: skip
def test_an_example_that_nobody_would_accept_is_refused(hub, words, status, said):
    """Wrong words end in one sentence that names the word, with nothing on standard output."""
    done = hub("example", *words)
    assert done.status == status
    assert said in done.err
    assert "<" not in done.out


def test_sign_writes_to_a_file_or_to_standard_output(hub, draft, tmp_path, home):
    """``-o FILE``, no ``-o``, and key and certificate by name: all sign alike."""
    named = home / PKI / "H12.15"
    plain = hub("sign", draft, "--as", "H12.15")
    by_files = hub("sign", draft, "--key", named / "key.pem", "--cert", named / "cert.pem")
    assert plain.status == by_files.status == 0
    for number, raw in enumerate((plain.raw, by_files.raw)):
        file = tmp_path / f"{number}.xml"
        file.write_bytes(raw)
        assert hub("verify", file).status == 0


def test_sign_by_files_needs_no_home(bare, draft, demo_home):
    """A key and a certificate are enough where there is no home."""
    named = demo_home / PKI / "H12.15"
    done = bare("--home", "none", "sign", draft, "--key", named / "key.pem", "--cert",
               named / "cert.pem")  # fmt: skip
    assert done.status == 0
    assert b"SignatureValue" in done.raw


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("absent.xml", "--as", "H12.15"), 2, "absent.xml"),
        ((".", "--as", "H12.15"), 2, "Is a directory"),
        (("{draft}",), 2, "--as"),
        (("{draft}", "--as", "H12.15", "--key", "k"), 2, "--as"),
        (("{draft}", "--key", "{home}/pki/agencies/H12.15/key.pem"), 2, "--cert"),
        (("{draft}", "--as", "H12.999"), 2, "H12.999"),
        (("{draft}", "--as", "?"), 2, "--as"),
        (("{draft}", "--key", "absent", "--cert", "absent"), 2, "absent"),
        (("{draft}", "--key", "{draft}", "--cert", "{draft}"), 2, "draft.xml"),
        (
            ("{draft}", "--key", "{home}/pki/agencies/H12.15/key.pem",
             "--cert", "{home}/pki/agencies/H12.03/cert.pem"), 2, "key.pem",
        ),
        (("{draft}", "--as", "H12.15", "-o", "."), 2, "Is a directory"),
        (("{draft}", "--as", "H12.15", "-o", "{draft}/x"), 2, "Not a directory"),
        (("{signed}", "--as", "H12.15"), 1, "2"),
        (("{home}/pki/crls/root.crl", "--as", "H12.15"), 1, ""),
    ],
)  # fmt: skip
def test_what_cannot_be_signed_is_told(hub, draft, signed, home, words, status, said):
    """Missing, wrong and unfitting files and keys; a refusal has its code on standard output."""
    places = {"draft": draft, "signed": signed, "home": home}
    done = hub("sign", *(word.format(**places) for word in words))
    assert done.status == status
    assert said in done.err
    assert done.err.count("\n") == 1
    assert (done.out == "") == (status == 2)


def hostile(good: bytes) -> dict[str, tuple[bytes, str]]:
    """Name → bytes, and the code that they are refused with."""
    laughs = b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 10))
    doctype = b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a0 "ha">' + laughs + b"]><l>&a9;</l>"
    other = good.replace(b'code="H12.03"', b'code="H12.05"')
    return {
        "20 MB": (good + b" " * 20_000_000, "xml.too_large"),
        "10 000 levels": (b"<a>" * 10_000 + b"</a>" * 10_000, "xml.too_deep"),
        "5 000 attributes": (
            b"<a " + b" ".join(b'a%d="1"' % n for n in range(5000)) + b"/>", "xml.too_deep"),
        "billion laughs": (doctype, "xml.doctype"),
        "invalid UTF-8": (good.replace(b"<Priority>", b"\xc3\x28<Priority>"), "xml.encoding"),
        "UTF-16 with BOM": (good.decode().encode("utf-16"), "xml.encoding"),
        "empty": (b"", "xml.malformed"),
        "blank": (b" \n", "xml.malformed"),
        "NUL": (b"\0" * 100, "xml.encoding"),
        "terminal escapes": (b"<a>\x1b[31m\x1b]0;x\x07</a>", "xml.malformed"),
        "cut off": (good[:-30], "xml.malformed"),
        "HTML": (b"<html/>", "profile.signature_missing"),
        "changed": (other, "signature.digest_mismatch"),
        "comment": (good.replace(b"<Body>", b"<!-- --><Body>"), "profile.comment_or_pi"),
        "no header": (
            re.sub(rb"<Header>.*</Header>", b"", good, flags=re.DOTALL),
            "signature.digest_mismatch",
        ),
    }  # fmt: skip


def test_hostile_files_get_a_line_each_with_every_key(hub, signed, tmp_path):
    """One JSON line for each file, in order; the good one among them is still accepted."""
    cases = hostile(signed.read_bytes())
    files = []
    for number, (raw, _code) in enumerate(cases.values()):
        files.append(tmp_path / f"{number}.xml")
        files[-1].write_bytes(raw)
    done = hub("verify", *files, signed, "--json")
    assert done.status == 1
    assert all(set(line) == KEYS for line in done.lines)
    assert [line["file"] for line in done.lines] == [str(file) for file in (*files, signed)]
    assert dict(zip(cases, (line["code"] for line in done.lines), strict=False)) == {
        name: code for name, (_raw, code) in cases.items()
    }
    assert {line["disposition"] for line in done.lines[:-1]} == {"quarantine"}
    assert all(line["detail"].isprintable() and line["detail"] for line in done.lines[:-1])
    assert done.lines[-1]["accepted"]


def test_files_that_cannot_be_read_get_their_line_too(hub, signed, tmp_path):
    """A directory and a missing file are wrong usage (2); the others are judged all the same."""
    done = hub("verify", tmp_path, "absent.xml", signed, "--json")
    assert done.status == 2
    assert [line["code"] for line in done.lines] == ["usage.invalid", "usage.invalid", ""]
    assert all(set(line) == KEYS for line in done.lines)
    assert "Is a directory" in done.lines[0]["detail"]


def test_a_device_without_end_fills_no_memory(hub):
    """No more than the limit is ever read."""
    done = hub("verify", "/dev/zero", "--json")
    assert (done.status, done.json["code"]) == (1, "xml.too_large")


def test_an_accepted_line_says_what_was_signed(hub, signed):
    """Sender, receivers, type, id and signer of an accepted envelope."""
    line = hub("verify", signed, "--json").json
    text = signed.read_text("utf-8")
    assert line["accepted"] is True
    assert (line["code"], line["disposition"], line["detail"]) == ("", "", "")
    assert (line["from"], line["to"], line["type"]) == ("H12.15", ["H12.03"], "dossier.submitted")
    assert f"<MessageId>{line['message_id']}<" in text
    assert f"<SignerCertificate>{line['signer']}<" in text


def test_a_refused_line_says_what_the_signature_still_covers(hub, signed):
    """An expired envelope's signature holds: its sender and type are known; a forged one's not."""
    late = hub("verify", signed, "--at", "2027-06-01T00:00:00+07:00", "--json").json
    assert (late["accepted"], late["code"], late["disposition"]) == (
        False, "header.expired", "reject")  # fmt: skip
    assert (late["from"], late["to"], late["type"]) == ("H12.15", ["H12.03"], "dossier.submitted")
    early = hub("verify", signed, "--at", "2020-01-01T00:00:00+07:00", "--json").json
    assert early["code"].startswith("trust.")
    assert (early["from"], early["to"], early["type"]) == ("", [], "")


def test_another_agencys_key_is_told_from_a_bad_signature(hub, draft, tmp_path):
    """A good signature that is not the sender's: ``trust.signer_mismatch``."""
    file = tmp_path / "other.xml"
    assert hub("sign", draft, "--as", "H12.05", "-o", file).status == 0
    line = hub("verify", file, "--json").json
    assert (line["code"], line["disposition"]) == ("trust.signer_mismatch", "quarantine")


@pytest.mark.parametrize(
    "time",
    ["tomorrow", "", "2026-11-24", "2026-11-24T10:00:00", "0001-01-01T00:00:00+14:00"],
)
def test_a_time_that_is_none_is_wrong_usage(hub, signed, time):
    """``--at`` takes RFC 3339 with an offset."""
    done = hub("verify", signed, f"--at={time}")
    assert (done.status, done.out) == (2, "")
    assert "--at" in done.err


def test_verify_needs_a_home(bare, signed):
    """Without trust material there is nothing to judge by: configuration, exit 2."""
    done = bare("--home", "none", "verify", signed)
    assert done.status == 2
    assert "hub.toml" in done.err


def test_people_get_a_table_and_no_escapes_of_a_stranger(hub):
    """Names and contents of files cannot steer the terminal."""
    file = Path("\x1b[31mred[bold].xml")
    file.write_bytes(b"<a>\x1b[31m</b>")
    done = hub("verify", file)
    assert done.status == 1
    assert "\x1b" not in done.out
    assert "red[bold].xml" in done.out


def test_standard_input_is_a_file_too(hub, signed, monkeypatch):
    """``-`` reads standard input."""
    with Path(signed).open("rb") as stream:
        monkeypatch.setattr("sys.stdin", type("In", (), {"buffer": stream}))
        assert hub("verify", "-", "--json").json["accepted"]
