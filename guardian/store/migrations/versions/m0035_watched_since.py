"""When watches began: pictures met before get higher numbers when their fingerprints are made anew."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    """Add the column; a watch of before counts from when its search was kept."""
    op.add_column("named_searches", sa.Column("watched_since", sa.DateTime(timezone=True)))
    op.execute("UPDATE named_searches SET watched_since = saved_at WHERE above IS NOT NULL")
