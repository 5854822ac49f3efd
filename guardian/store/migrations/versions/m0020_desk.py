"""Scans that people ask for, and the views of the queue that they save."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Make the two tables."""
    op.create_table(
        "scan_requests",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("after_scan", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", name="pk_scan_requests"),
    )
    op.create_table(
        "saved_views",
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_saved_views_person_id"),
        sa.PrimaryKeyConstraint("person_id", "name", name="pk_saved_views"),
    )
