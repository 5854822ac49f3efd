"""Findings and cases say which licence covers them, and since when guardian counts them as licensed."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the columns. Which licence covers a use is noted when it is next judged."""
    for table in ("findings", "cases"):
        op.add_column(table, sa.Column("licence_id", sa.Text()))
        op.add_column(table, sa.Column("licensed_since", sa.DateTime(timezone=True)))
    # Which uses a licence covers is asked when it changes.
    op.create_index("ix_findings_licence", "findings", ["licence"])
