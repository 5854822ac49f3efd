"""Images whose worker died wait for another attempt, and are set aside when they end it again and again."""

import sqlalchemy as sa
from alembic import op

from guardian.store.columns import Instant

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Create the table of quarantined images."""
    op.create_table(
        "quarantine",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("recipe", sa.Text(), nullable=False),
        sa.Column("image_url", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failed_at", Instant(), nullable=False),
        sa.Column("retry_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", "recipe", name="pk_quarantine"),
    )
