"""Assets keep what came of searching for them, and whether they are found by their bytes only."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the two columns. Assets of earlier versions were all compared, and none was searched for yet."""
    op.add_column("assets", sa.Column("self_check", sa.JSON()))
    op.add_column("assets", sa.Column("by_bytes_only", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("assets") as changed:
        changed.alter_column("by_bytes_only", server_default=None)
