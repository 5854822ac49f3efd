"""Rows that only grow can be forgotten by age; assets and findings carry a published perceptual hash."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the columns and indexes that pruning goes by, and the columns of the published hash."""
    op.add_column("candidates", sa.Column("matched_at", sa.DateTime(timezone=True)))
    # When the rows of earlier versions were measured is not known: their time begins now.
    now = datetime.now(UTC)
    moment = sa.literal(now.replace(tzinfo=None) if op.get_bind().dialect.name == "sqlite" else now)
    candidates = sa.table("candidates", sa.column("matched_at", sa.DateTime(timezone=True)))
    op.execute(candidates.update().values(matched_at=moment))
    with op.batch_alter_table("candidates") as changed:
        changed.alter_column("matched_at", nullable=False)
    op.drop_index("ix_candidates_recipe", "candidates")
    op.create_index("ix_candidates_matched_at", "candidates", ["matched_at"])
    op.create_index("ix_responses_sha256", "responses", ["sha256"])
    op.create_index("ix_tasks_done_at", "tasks", ["done_at"])
    op.create_index("ix_scans_ended_at", "scans", ["ended_at"])
    op.add_column("assets", sa.Column("perceptual_hash", sa.Text()))
    op.add_column("findings", sa.Column("perceptual_hash", sa.Text()))
