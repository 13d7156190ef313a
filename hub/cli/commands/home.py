"""``hub init``: a new home, empty or with everything that the demo needs."""

from __future__ import annotations

import shutil
import tempfile
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from hub.cli import processes, template
from hub.cli.arguments import agency
from hub.cli.context import invocation, now
from hub.cli.progress import waiting
from hub.codes import AgencyCode, Environment
from hub.envelope import sha256_hex
from hub.errors import UsageError
from hub.routing import access as rules
from hub.routing.directory import ImportResult, import_csv
from hub.settings import FILE, Settings, load
from hub.store import directory as directory_store
from hub.store.engine import Store
from hub.store.rows import AgencyRow, CertificateRow

DEMO_HUB = "00.99.W00"
"""The hub's own code in the demo: the trial connection centre of the sample directory."""
ACTOR = "hub init"
PARTS = ("pki", "connectors", "hub.sqlite")
"""What a home consists of, besides its settings, when it is new."""


def register(app: typer.Typer) -> None:
    """Add ``init`` to the command line."""
    app.command("init")(init)


def init(
    context: typer.Context,
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Thư mục mới / new folder")],
    demo: Annotated[
        bool, typer.Option("--demo", help="PKI và danh mục mẫu / test PKI and sample directory")
    ] = False,
    code: Annotated[str, typer.Option(help="Mã của trục / this hub's own code")] = DEMO_HUB,
    environment: Annotated[str, typer.Option(help="trial | production")] = "trial",
) -> None:
    """Tạo thư mục làm việc mới / make a new home."""
    call = invocation(context)
    with waiting(call, "Đang tạo khóa và danh mục", "Making keys and directory"):
        agencies = create(directory, demo=demo, code=code, environment=environment, at=now())
    call.emit({"home": str(directory.resolve()), "agencies": agencies})
    call.say(
        f"Đã tạo {directory} với {len(agencies)} cơ quan có khóa.",
        f"Made {directory} with {len(agencies)} agencies that have keys.",
    )


def create(directory: Path, *, demo: bool, code: str, environment: str, at: datetime) -> list[str]:
    """Make the home and return the codes of the agencies that have a key in it.

    It is made aside and moved into place with ``hub.toml`` last: a folder with a ``hub.toml`` is
    always a whole home. Raises ``UsageError``, and touches nothing, when there is a home or part
    of one already.
    """
    hub_code = _hub_code(code, environment, demo=demo)
    for name in (FILE, *PARTS):
        if (directory / name).exists():
            raise _there(directory / name)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=".init-", dir=directory))
    except FileExistsError as error:
        raise _there(directory) from error
    try:
        agencies = _make(aside, hub_code, environment, demo=demo, at=at)
        for item in sorted(aside.iterdir(), key=lambda path: path.name == FILE):
            item.rename(directory / item.name)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return agencies


def _hub_code(code: str, environment: str, *, demo: bool) -> AgencyCode:
    if environment not in list(Environment):
        raise UsageError(reason=f"--environment {environment[:20]!r}: trial | production")
    if demo and environment != Environment.TRIAL:
        raise UsageError(
            reason="--demo is for the trial environment only",
            reason_vi="--demo chỉ dùng trong môi trường trial",
        )
    return agency(code, Environment(environment), "--code")


def _there(path: Path) -> UsageError:
    return UsageError(
        reason=f"{path} is already there; nothing was changed",
        reason_vi=f"{path} đã có sẵn; không có gì bị thay đổi",
    )


def _make(
    folder: Path, hub_code: AgencyCode, environment: str, *, demo: bool, at: datetime
) -> list[str]:
    for name in ("pki/anchors", "pki/intermediates", "pki/crls", "pki/agencies", "connectors"):
        (folder / name).mkdir(parents=True)
    values = {"hub": {"code": hub_code.value, "environment": environment}}
    (folder / FILE).write_text(template.render(values), encoding="utf-8")
    settings = load(folder, environ={})
    store = Store.open(settings.store_url, create=True)
    try:
        return _fill_demo(settings, store, hub_code, at) if demo else []
    finally:
        store.close()


def sample(name: str) -> bytes:
    """Return one of the shipped sample files (invented data)."""
    return (files("hub.cli") / "data" / name).read_bytes()


def sample_directory() -> ImportResult:
    """Return the sample agencies together with the sample centres."""
    centres = import_csv(sample("centres.csv"), file="centres.csv")
    return import_csv(sample("agencies.csv"), file="agencies.csv", known=centres.rows)


def _fill_demo(settings: Settings, store: Store, hub_code: AgencyCode, at: datetime) -> list[str]:
    centres = import_csv(sample("centres.csv"), file="centres.csv").rows
    rows = (*centres, *sample_directory().rows)
    directory_store.replace_agencies(store, rows, actor=ACTOR, at=at)
    living = [row.code for row in rows if _alive(row, at) and row.kind != "centre"]
    directory_store.set_attached(store, living, actor=ACTOR, at=at)
    with_keys = [*living, hub_code.value]
    command = processes.module_command(
        processes.module_of(processes.AIDS, "pki"),
        ["--home", str(settings.home), "--hub-code", hub_code.value, "--agencies", "-"],
    )
    processes.capture("pki", command, "\n".join(with_keys) + "\n")
    for code in with_keys:
        certificate = settings.pki / "agencies" / code / "cert.pem"
        directory_store.add_certificate(store, certificate_row(code, certificate), ACTOR, at)
    for rule in rules.demo_rules():
        directory_store.add_rule(store, rule, ACTOR, at)
    return with_keys


def _alive(row: AgencyRow, at: datetime) -> bool:
    return row.valid_to is None or row.valid_to >= at.date()


def certificate_row(agency: str, file: Path, note: str = "") -> CertificateRow:
    """Read a PEM certificate into a registration for ``agency``, valid as long as it is itself."""
    certificate = x509.load_pem_x509_certificate(file.read_bytes())
    der = certificate.public_bytes(Encoding.DER)
    return CertificateRow(
        sha256=sha256_hex(der),
        agency=agency,
        der=der,
        valid_from=certificate.not_valid_before_utc,
        valid_to=certificate.not_valid_after_utc,
        note=note,
    )
