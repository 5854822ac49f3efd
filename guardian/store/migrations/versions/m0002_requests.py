"""Requests to each host are counted by day."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the table of requests."""
    op.create_table(
        "requests",
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("taken", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("host", "day", name="pk_requests"),
    )
    op.create_index("ix_requests_day", "requests", ["day"])
