"""Pictures that a person has called not theirs are known as look-alikes."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "lookalikes",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("work_id", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("image_sha256", sa.Text()),
        sa.Column("perceptual_hash", sa.Text()),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("batch", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_lookalikes"),
    )
    for column in ("work_id", "batch", "image_sha256"):
        op.create_index(f"ix_lookalikes_{column}", "lookalikes", [column])
    op.create_table(
        "lookalike_digests",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("lookalike_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["lookalike_id"], ["lookalikes.id"], name="fk_lookalike_digests_lookalike_id"),
        sa.PrimaryKeyConstraint("sha256", "lookalike_id", name="pk_lookalike_digests"),
    )
    op.create_index("ix_lookalike_digests_lookalike_id", "lookalike_digests", ["lookalike_id"])
