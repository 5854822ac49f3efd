"""Findings say since when, and in how many scans, they were missed."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add the columns. What was missed before this is not known: counting begins now."""
    op.add_column("findings", sa.Column("first_missed_at", sa.DateTime(timezone=True)))
    op.add_column("findings", sa.Column("doubted_at", sa.DateTime(timezone=True)))
    # SQLite adds a column that is never null only with a default.
    op.add_column("findings", sa.Column("missed_scans", sa.Integer(), nullable=False, server_default="0"))
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("findings", "missed_scans", server_default=None)
    op.create_index("ix_findings_source_last_seen_at", "findings", ["source", "last_seen_at"])
    op.create_index("ix_findings_page_key", "findings", ["page_key"])
