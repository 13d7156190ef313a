"""The tables of a connector's own store; version 1 of the schema (``PRAGMA user_version``)."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

VERSION = 1
metadata = MetaData()

outbox = Table(
    "outbox",
    metadata,
    Column("n", Integer, primary_key=True, autoincrement=True),
    Column("key", String(300), nullable=False, unique=True),
    Column("message_id", String(36), nullable=False, unique=True),
    Column("type", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("published_us", BigInteger),
    Column("state", String(16), nullable=False, index=True),
    Column("source", Boolean, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("receipt", LargeBinary, nullable=False),
)
answers = Table(
    "answers",
    metadata,
    Column("subject", String(36), primary_key=True),
    Column("receipt_id", String(36), primary_key=True),
    Column("type", String(64), nullable=False),
    Column("sender", String(35), nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("told", Text, nullable=False),
    Column("raw", LargeBinary, nullable=False),
)
parked = Table(
    "parked",
    metadata,
    Column("key", String(300), primary_key=True),
    Column("label", Text, nullable=False),
    Column("code", String(64), nullable=False),
    Column("vi", Text, nullable=False),
    Column("en", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
)
inbox = Table(
    "inbox",
    metadata,
    Column("key", String(300), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("at_us", BigInteger, nullable=False),
    Column("receipt_id", String(36), nullable=False),
    Column("receipt", LargeBinary, nullable=False),
    Column("reference", Text, nullable=False),
    Column("reason", Text, nullable=False),
)
kept = Table(
    "kept",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("key", String(300), nullable=False),
    Column("code", String(64), nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("raw", LargeBinary, nullable=False),
)
streams = Table(
    "streams",
    metadata,
    Column("name", String(300), primary_key=True),
    Column("state", Text, nullable=False),
)
recalls = Table(
    "recalls",
    metadata,
    Column("sender", String(35), primary_key=True),
    Column("document_id", String(200), primary_key=True),
    Column("created_us", BigInteger, nullable=False),
)
notices = Table(
    "notices",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("key", String(300), nullable=False),
    Column("confirmation", String(16), nullable=False),
    Column("told", Text, nullable=False),
)
checkpoint = Table(
    "checkpoint",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("value", Text, nullable=False),
)
