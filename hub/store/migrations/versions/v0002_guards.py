"""Find fast what waits, what was forged and the next number; let the log only grow at its end.

``INSERT OR REPLACE`` would change an entry without firing the guards on UPDATE and DELETE.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

WAITING = "encoding = 'raw'"
SQLITE_GUARDS = (
    """
    CREATE TRIGGER audit_at_the_end BEFORE INSERT ON audit
    WHEN NEW.seq <> (SELECT COALESCE(MAX(seq), 0) + 1 FROM audit)
    BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END
    """,
    """
    CREATE TRIGGER audit_checkpoints_no_update BEFORE UPDATE ON audit_checkpoints
    BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END
    """,
    """
    CREATE TRIGGER audit_checkpoints_no_delete BEFORE DELETE ON audit_checkpoints
    BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END
    """,
)
POSTGRESQL_GUARD = """
CREATE TRIGGER audit_checkpoints_guard BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_checkpoints
FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
"""


def upgrade() -> None:
    """Add two indexes and the guards; number by order key first."""
    op.create_index(
        "ix_blobs_raw",
        "blobs",
        ["sha256"],
        sqlite_where=sa.text(WAITING),
        postgresql_where=sa.text(WAITING),
    )
    op.create_index(op.f("ix_quarantine_claimed_id"), "quarantine", ["claimed_id"])
    with op.batch_alter_table("sequences") as batch:
        batch.drop_constraint("pk_sequences", type_="primary")
        batch.create_primary_key("pk_sequences", ["order_key", "sender", "receiver"])
    if op.get_bind().dialect.name == "sqlite":
        for guard in SQLITE_GUARDS:
            op.execute(guard)
    else:
        op.execute(POSTGRESQL_GUARD)
