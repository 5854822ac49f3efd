"""Notices with their histories, and rechecks of the places that they name."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Make the tables."""
    row_number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "notices",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("drafted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("drafted_by", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("items", sa.JSON(), nullable=False),
        sa.Column("missing", sa.JSON(), nullable=False),
        sa.Column("template_sha256", sa.Text(), nullable=False),
        sa.Column("answer_by", sa.Date(), nullable=False),
        sa.Column("recipient", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_notices"),
    )
    op.create_index("ix_notices_operator", "notices", ["operator"])
    op.create_index("ix_notices_drafted_at", "notices", ["drafted_at"])
    op.create_table(
        "notice_cases",
        sa.Column("notice_id", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["notice_id"], ["notices.id"], name="fk_notice_cases_notice_id"),
        sa.PrimaryKeyConstraint("notice_id", "case_id", name="pk_notice_cases"),
    )
    op.create_index("ix_notice_cases_case_id", "notice_cases", ["case_id"])
    op.create_table(
        "notice_lines",
        sa.Column("id", row_number, nullable=False),
        sa.Column("notice_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("note", sa.Text()),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["notice_id"], ["notices.id"], name="fk_notice_lines_notice_id"),
        sa.PrimaryKeyConstraint("id", name="pk_notice_lines"),
    )
    op.create_index("ix_notice_lines_notice_id", "notice_lines", ["notice_id"])
    op.create_table(
        "rechecks",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("notice_id", sa.Text()),
        sa.Column("day", sa.Integer()),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("places", sa.JSON(), nullable=False),
        sa.Column("elsewhere", sa.JSON(), nullable=False),
        sa.Column("asked_by", sa.Text()),
        sa.ForeignKeyConstraint(["notice_id"], ["notices.id"], name="fk_rechecks_notice_id"),
        sa.PrimaryKeyConstraint("id", name="pk_rechecks"),
    )
    op.create_index("ix_rechecks_case_id_at", "rechecks", ["case_id", "at"])
