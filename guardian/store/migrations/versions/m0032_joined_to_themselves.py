"""Remembered pictures that were joined to themselves when their fingerprint was made anew: they have none."""

from alembic import op

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    """Have them stand for themselves again; a fingerprint is made when a scan next meets them."""
    op.execute("UPDATE seen_pictures SET same_as = NULL, recipe = NULL, shard = NULL, bytes = 0 WHERE same_as = id")
