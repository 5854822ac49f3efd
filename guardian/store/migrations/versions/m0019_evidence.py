"""Captures: what was taken of a use as proof."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "evidence_captures",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("finding_id", sa.Text()),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text()),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("page_url", sa.Text()),
        sa.Column("image_url", sa.Text()),
        sa.Column("guardian_version", sa.Text(), nullable=False),
        sa.Column("not_taken", sa.JSON(), nullable=False),
        sa.Column("differences", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_evidence_captures_case_id"),
        sa.PrimaryKeyConstraint("id", name="pk_evidence_captures"),
    )
    op.create_index("ix_evidence_captures_case_id_began_at", "evidence_captures", ["case_id", "began_at"])
    op.create_index("ix_evidence_captures_finding_id", "evidence_captures", ["finding_id"])
    op.create_table(
        "evidence_files",
        sa.Column("capture_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["capture_id"], ["evidence_captures.id"], name="fk_evidence_files_capture_id"),
        sa.PrimaryKeyConstraint("capture_id", "name", name="pk_evidence_files"),
    )
    op.create_index("ix_evidence_files_sha256", "evidence_files", ["sha256"])
