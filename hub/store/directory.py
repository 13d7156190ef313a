"""The directory, the access rules and the registered certificates; every change is logged.

Each change, its log entry and the new revision number are one transaction; routers poll the
revision and load anew when it moves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.engine import Connection, CursorResult

from hub.errors import NotFound
from hub.store import audit
from hub.store.dialect import upsert
from hub.store.engine import Store
from hub.store.rows import AccessRow, AgencyRow, AuditEntry, CertificateRow, RepresentsRow
from hub.store.tables import access_rules, meta
from hub.store.tables import agencies as agency_table
from hub.store.tables import certificates as certificate_table
from hub.store.tables import represents as represents_table
from hub.store.times import from_us, to_us

REVISION = "revision"


@contextmanager
def _change(store: Store, entry: AuditEntry) -> Iterator[Connection]:
    """One audited change: the caller's statements, the log entry and the next revision."""
    with store.write() as connection:
        yield connection
        audit.append_in(connection, [entry])
        current = connection.scalar(select(meta.c.value).where(meta.c.key == REVISION)) or 0
        connection.execute(
            upsert(connection, meta, ("key",)), {"key": REVISION, "value": current + 1}
        )


def _found(done: CursorResult[Any], value: str) -> None:
    """Undo a change of what is not there: the log would tell of something that never happened."""
    if done.rowcount != 1:
        raise NotFound(value=value)


def revision(store: Store) -> int:
    """Return a number that grows with every change of directory, access rules or certificates."""
    with store.read() as connection:
        return connection.scalar(select(meta.c.value).where(meta.c.key == REVISION)) or 0


def replace_agencies(store: Store, rows: Sequence[AgencyRow], *, actor: str, at: datetime) -> None:
    """Add or replace agencies by code; a list that got shorter deletes nobody.

    An agency that is attached stays attached, whatever the row says.
    """
    entry = AuditEntry(at, actor, "directory.import", f"{len(rows)} rows")
    with _change(store, entry) as connection:
        attached = set(
            connection.scalars(select(agency_table.c.code).where(agency_table.c.attached))
        )
        values = [
            {
                "code": row.code,
                "name": row.name,
                "kind": row.kind,
                "parent": row.parent,
                "centre": row.centre,
                "valid_from": row.valid_from,
                "valid_to": row.valid_to,
                "superseded_by": " ".join(row.superseded_by),
                "redirect": row.redirect,
                "aliases": " ".join(row.aliases),
                "attached": row.attached or row.code in attached,
            }
            for row in rows
        ]
        if values:
            connection.execute(upsert(connection, agency_table, ("code",)), values)


def agencies(store: Store) -> list[AgencyRow]:
    """Return the whole directory, by code."""
    with store.read() as connection:
        rows = connection.execute(select(agency_table).order_by(agency_table.c.code)).all()
    return [
        AgencyRow(
            code=row.code,
            name=row.name,
            kind=row.kind,
            parent=row.parent,
            centre=row.centre,
            valid_from=row.valid_from,
            valid_to=row.valid_to,
            superseded_by=tuple(row.superseded_by.split()),
            redirect=row.redirect,
            aliases=tuple(row.aliases.split()),
            attached=row.attached,
        )
        for row in rows
    ]


def set_attached(
    store: Store, codes: Sequence[str], *, actor: str, at: datetime, attached: bool = True
) -> None:
    """Give agencies an inbox on this hub, or take it away (the queue itself is the topology's).

    Raises ``NotFound`` for a code that is not in the directory; then nothing is changed.
    """
    action = "directory.attach" if attached else "directory.detach"
    with _change(store, AuditEntry(at, actor, action, " ".join(codes)[:200])) as connection:
        for code in codes:
            done = connection.execute(
                update(agency_table).where(agency_table.c.code == code).values(attached=attached)
            )
            _found(done, code)


def add_rule(store: Store, rule: AccessRow, actor: str, at: datetime) -> None:
    """Add an access rule; its ``id`` is chosen here."""
    verb = "allow" if rule.allow else "deny"
    subject = f"{verb} {rule.sender} {rule.receiver} {rule.type}"
    with _change(store, AuditEntry(at, actor, "access.add", subject)) as connection:
        connection.execute(
            insert(access_rules),
            {
                "sender": rule.sender,
                "receiver": rule.receiver,
                "type": rule.type,
                "allow": rule.allow,
                "note": rule.note,
            },
        )


def remove_rule(store: Store, rule_id: int, actor: str, at: datetime) -> None:
    """Remove an access rule by its id; raises ``NotFound``."""
    with _change(store, AuditEntry(at, actor, "access.remove", str(rule_id))) as connection:
        done = connection.execute(delete(access_rules).where(access_rules.c.id == rule_id))
        _found(done, str(rule_id))


def rules(store: Store) -> list[AccessRow]:
    """Return the access rules in the order in which they were added."""
    with store.read() as connection:
        rows = connection.execute(select(access_rules).order_by(access_rules.c.id)).all()
    return [
        AccessRow(row.id, row.sender, row.receiver, row.type, allow=row.allow, note=row.note)
        for row in rows
    ]


def add_certificate(store: Store, row: CertificateRow, actor: str, at: datetime) -> None:
    """Register a certificate for an agency; registering it again changes its dates and note."""
    entry = AuditEntry(at, actor, "trust.add", f"{row.agency} {row.sha256}")
    with _change(store, entry) as connection:
        connection.execute(
            upsert(connection, certificate_table, ("sha256", "agency")),
            {
                "sha256": row.sha256,
                "agency": row.agency,
                "der": row.der,
                "valid_from_us": to_us(row.valid_from),
                "valid_to_us": to_us(row.valid_to),
                "retired_us": to_us(row.retired_at),
                "note": row.note,
            },
        )


def retire_certificate(
    store: Store, sha256: str, agency: str, moment: datetime, actor: str, at: datetime
) -> None:
    """Let a registration end at ``moment``; what was accepted before stays accepted.

    Raises ``NotFound`` for a certificate that is not registered for the agency.
    """
    entry = AuditEntry(at, actor, "trust.retire", f"{agency} {sha256}")
    with _change(store, entry) as connection:
        done = connection.execute(
            update(certificate_table)
            .where(certificate_table.c.sha256 == sha256, certificate_table.c.agency == agency)
            .values(retired_us=to_us(moment))
        )
        _found(done, f"{agency} {sha256}")


def certificates(store: Store, agency: str | None = None) -> list[CertificateRow]:
    """Return the registered certificates, of one agency or of all."""
    query = select(certificate_table).order_by(
        certificate_table.c.agency, certificate_table.c.valid_from_us
    )
    if agency is not None:
        query = query.where(certificate_table.c.agency == agency)
    with store.read() as connection:
        rows = connection.execute(query).all()
    return [
        CertificateRow(
            sha256=row.sha256,
            agency=row.agency,
            der=row.der,
            valid_from=from_us(row.valid_from_us),
            valid_to=from_us(row.valid_to_us),
            retired_at=from_us(row.retired_us),
            note=row.note,
        )
        for row in rows
    ]


def add_represents(store: Store, row: RepresentsRow, actor: str, at: datetime) -> None:
    """Let a gateway sign and send for an agency during a time."""
    entry = AuditEntry(at, actor, "trust.represents", f"{row.gateway} for {row.agency}")
    with _change(store, entry) as connection:
        connection.execute(
            upsert(connection, represents_table, ("gateway", "agency", "valid_from_us")),
            {
                "gateway": row.gateway,
                "agency": row.agency,
                "valid_from_us": to_us(row.valid_from),
                "valid_to_us": to_us(row.valid_to),
            },
        )


def represents(store: Store) -> list[RepresentsRow]:
    """Return which gateway may act for whom, and when."""
    with store.read() as connection:
        rows = connection.execute(select(represents_table)).all()
    return [
        RepresentsRow(row.gateway, row.agency, from_us(row.valid_from_us), from_us(row.valid_to_us))
        for row in rows
    ]
