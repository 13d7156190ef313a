"""The tables of the hub's store. Times are integers: microseconds since 1970-01-01 UTC.

``hub/store/migrations`` must lead to exactly these; a test compares them.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

BigId = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself only in a column of type INTEGER."""

messages = Table(
    "messages",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("sender", String(35), nullable=False),
    Column("message_id", String(36), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("type", String(64), nullable=False),
    Column("schema", String(8), nullable=False),
    Column("environment", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("arrived_us", BigInteger, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger),
    Column("conversation_id", String(36), nullable=False),
    Column("in_reply_to", String(36)),
    Column("dossier_code", String(64)),
    Column("document_id", String(200)),
    Column("priority", Integer, nullable=False),
    Column("signer_sha256", String(64), nullable=False),
    Column("by_gateway", String(35)),
    Column("account", String(64), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("detail", Text, nullable=False),
    UniqueConstraint("sender", "message_id"),
    Index(None, "message_id"),
    Index(None, "dossier_code"),
    Index(None, "document_id"),
)

blobs = Table(
    "blobs",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("encoding", String(8), nullable=False),
    Column("data", LargeBinary, nullable=False),
)
_WAITING = text("encoding = 'raw'")
Index("ix_blobs_raw", blobs.c.sha256, sqlite_where=_WAITING, postgresql_where=_WAITING)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("message", String(36), ForeignKey("messages.id"), nullable=False),
    Column("named", Text, nullable=False),
    Column("receiver", String(35), nullable=False),
    Column("via", String(16), nullable=False),
    Column("queue", String(80), nullable=False),
    Column("state", String(16), nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("order_key", String(300), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("confirmed_us", BigInteger),
    Column("reason", String(64), nullable=False),
    Column("detail", Text, nullable=False),
    Index(None, "message"),
    Index(None, "state", "receiver"),
    Index(None, "confirmed_us", "created_us"),
)

receipts = Table(
    "receipts",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("message", String(36), ForeignKey("messages.id"), nullable=False),
    Column("message_id", String(36), nullable=False),
    Column("type", String(64), nullable=False),
    Column("receiver", String(35), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("confirmed_us", BigInteger),
    Index(None, "message"),
    Index(None, "confirmed_us", "created_us"),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("arrived_us", BigInteger, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("code", String(64), nullable=False),
    Column("detail", Text, nullable=False),
    Column("account", String(64), nullable=False),
    Column("claimed_id", String(64), nullable=False),
    Index(None, "code"),
    Index(None, "claimed_id"),
)

events = Table(
    "events",
    metadata,
    Column("n", BigId, primary_key=True, autoincrement=True),
    Column("message", String(36), nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("detail", Text, nullable=False),
    Index(None, "message"),
)

sequences = Table(
    "sequences",
    metadata,
    Column("sender", String(35), nullable=False),
    Column("receiver", String(35), nullable=False),
    Column("order_key", String(300), nullable=False),
    Column("value", BigInteger, nullable=False),
    PrimaryKeyConstraint("order_key", "sender", "receiver"),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", BigId, primary_key=True, autoincrement=False),
    Column("at_us", BigInteger, nullable=False),
    Column("actor", String(80), nullable=False),
    Column("action", String(64), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("detail", Text, nullable=False),
    Column("hash", String(64), nullable=False),
)

audit_checkpoints = Table(
    "audit_checkpoints",
    metadata,
    Column("seq", BigId, primary_key=True, autoincrement=False),
    Column("hash", String(64), nullable=False),
    Column("at_us", BigInteger, nullable=False),
)

agencies = Table(
    "agencies",
    metadata,
    Column("code", String(35), primary_key=True),
    Column("name", Text, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("parent", String(35)),
    Column("centre", String(35)),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date),
    Column("superseded_by", Text, nullable=False),
    Column("redirect", String(8), nullable=False),
    Column("aliases", Text, nullable=False),
    Column("attached", Boolean, nullable=False),
)

access_rules = Table(
    "access_rules",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("sender", String(64), nullable=False),
    Column("receiver", String(64), nullable=False),
    Column("type", String(64), nullable=False),
    Column("allow", Boolean, nullable=False),
    Column("note", Text, nullable=False),
)

certificates = Table(
    "certificates",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("agency", String(35), primary_key=True),
    Column("der", LargeBinary, nullable=False),
    Column("valid_from_us", BigInteger, nullable=False),
    Column("valid_to_us", BigInteger),
    Column("retired_us", BigInteger),
    Column("note", Text, nullable=False),
)

represents = Table(
    "represents",
    metadata,
    Column("gateway", String(35), primary_key=True),
    Column("agency", String(35), primary_key=True),
    Column("valid_from_us", BigInteger, primary_key=True),
    Column("valid_to_us", BigInteger),
)

leases = Table(
    "leases",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("owner", String(120), nullable=False),
    Column("token", BigInteger, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
)

meta = Table(
    "meta",
    metadata,
    Column("key", String(32), primary_key=True),
    Column("value", BigInteger, nullable=False),
)
