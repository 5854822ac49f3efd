"""Labels of pictures, declared siblings, named searches and what watches have told."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Make them, empty."""
    op.add_column("assets", sa.Column("labels", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("assets", sa.Column("shoot", sa.Text()))
    op.create_table(
        "seen_labels",
        sa.Column("picture_id", sa.Text(), nullable=False),
        sa.Column("term", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("share", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["picture_id"], ["seen_pictures.id"], name="fk_seen_labels_picture_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("picture_id", "term", name="pk_seen_labels"),
    )
    op.create_index("ix_seen_labels_term", "seen_labels", ["term"])
    op.create_table(
        "named_searches",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("above", sa.Double()),
        sa.Column("severity", sa.Text()),
        sa.Column("watched_to", sa.BigInteger()),
        sa.PrimaryKeyConstraint("name", name="pk_named_searches"),
    )
    op.create_table(
        "watch_hits",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", "sha256", name="pk_watch_hits"),
    )
