"""``hub trust``: anchors, and the certificates registered for each agency."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from cryptography import x509

from hub.cli.arguments import agency as agency_code
from hub.cli.arguments import parse_time
from hub.cli.commands.home import certificate_row
from hub.cli.context import Invocation, invocation, now
from hub.cli.operator import operator
from hub.cli.parts import opened
from hub.errors import KeyUnreadable, NotFound, UsageError
from hub.signing.trust import material_from_folder
from hub.store import directory as store
from hub.store.rows import CertificateRow
from hub.store.trust import load_trust

SHORTEST = 8
"""Digits of a SHA-256 that name a certificate."""

app = typer.Typer(
    help="Gốc tin cậy và chứng thư / trust anchors, certificates.", no_args_is_help=True
)


def register(parent: typer.Typer) -> None:
    """Add ``trust`` to the command line."""
    parent.add_typer(app, name="trust")


@app.command("list")
def list_certificates(
    context: typer.Context,
    agency: Annotated[str | None, typer.Option(help="Chỉ một cơ quan / one agency only")] = None,
) -> None:
    """Liệt kê gốc tin cậy và chứng thư / list anchors and registered certificates."""
    call = invocation(context)
    wanted = _code(call, agency, "--agency") if agency else None
    with opened(call.settings) as opened_store:
        rows = store.certificates(opened_store, wanted)
    shown = [_document(row) for row in rows]
    anchors = [_anchor(der) for der in material_from_folder(call.settings.pki)[0]]
    call.emit({"anchors": anchors, "certificates": shown})
    call.table(
        call.text("Gốc tin cậy", "Trust anchors"),
        ["subject", "until"],
        [(anchor["subject"], anchor["valid_to"]) for anchor in anchors],
    )
    call.table(
        call.text("Chứng thư", "Certificates"),
        ["agency", "sha256", "from", "to", "retired"],
        [
            (r["agency"], r["sha256"], r["valid_from"], r["valid_to"], r["retired_at"])
            for r in shown
        ],
    )


def _code(call: Invocation, text: str, name: str) -> str:
    return agency_code(text, call.settings.hub.environment, name).value


def _document(row: CertificateRow) -> dict[str, Any]:
    def text(moment: datetime | None) -> str | None:
        return moment.isoformat() if moment else None

    return {
        "agency": row.agency,
        "sha256": row.sha256,
        "valid_from": text(row.valid_from),
        "valid_to": text(row.valid_to),
        "retired_at": text(row.retired_at),
        "note": row.note,
    }


def _anchor(der: bytes) -> dict[str, str]:
    certificate = x509.load_der_x509_certificate(der)
    return {
        "subject": certificate.subject.rfc4514_string(),
        "valid_to": certificate.not_valid_after_utc.isoformat(),
    }


@app.command("add")
def add(
    context: typer.Context,
    agency: Annotated[str, typer.Argument(metavar="CODE")],
    certificate: Annotated[Path, typer.Argument(metavar="CERT.pem")],
    note: Annotated[str, typer.Option(help="Vì sao / why")] = "",
) -> None:
    """Đăng ký chứng thư cho một cơ quan / register a certificate for an agency; several overlap."""
    # The router would refuse what it signs unless it is good by itself: so is this.
    call = invocation(context)
    code = _code(call, agency, "CODE")
    row = _read(code, certificate, note)
    with opened(call.settings) as opened_store:
        if code not in {known.code for known in store.agencies(opened_store)}:
            raise NotFound(value=code)
        load_trust(opened_store, call.settings).judge(row.der, now())
        store.add_certificate(opened_store, row, operator(), now())
    call.emit({"ok": True, **_document(row)})
    call.say(f"Đã đăng ký {row.sha256} cho {code}.", f"{row.sha256} is registered for {code}.")


def _read(code: str, file: Path, note: str) -> CertificateRow:
    try:
        return certificate_row(code, file, note)
    except (OSError, ValueError) as error:
        raise KeyUnreadable(file=str(file), reason=str(error)[:120]) from error


@app.command("retire")
def retire(
    context: typer.Context,
    sha256: Annotated[str, typer.Argument(metavar="SHA256", help="Đủ hoặc ≥ 8 chữ số đầu")],
    at: Annotated[str | None, typer.Option("--at", metavar="TIME", help="RFC 3339")] = None,
    agency: Annotated[str | None, typer.Option(help="Của cơ quan nào / of which agency")] = None,
) -> None:
    """Ngừng một chứng thư từ lúc nêu (mặc định: bây giờ) / retire a certificate, now or --at."""
    call = invocation(context)
    moment = now() if at is None else parse_time(at, "--at")
    wanted = _code(call, agency, "--agency") if agency else None
    with opened(call.settings) as opened_store:
        row = _matching(store.certificates(opened_store, wanted), sha256)
        store.retire_certificate(opened_store, row.sha256, row.agency, moment, operator(), now())
    call.emit({"ok": True, "sha256": row.sha256, "agency": row.agency})
    call.say(
        f"Đã ngừng {row.sha256} của {row.agency}.", f"{row.sha256} of {row.agency} is retired."
    )


def _matching(
    rows: tuple[CertificateRow, ...] | list[CertificateRow], digits: str
) -> CertificateRow:
    """The one certificate whose digest starts with ``digits``; raises ``NotFound``."""
    found = [row for row in rows if row.sha256.startswith(digits.lower())]
    if len(digits) < SHORTEST:
        raise UsageError(
            reason=f"SHA256: give at least {SHORTEST} digits",
            reason_vi=f"SHA256: cần ít nhất {SHORTEST} chữ số",
        )
    if len(found) > 1:
        owners = ", ".join(row.agency for row in found[:10])
        raise UsageError(
            reason=f"{digits[:64]} is registered for {owners}; give --agency or more digits",
            reason_vi=f"{digits[:64]} thuộc về {owners}; cần --agency hoặc thêm chữ số",
        )
    if not found:
        raise NotFound(value=digits[:64])
    return found[0]
