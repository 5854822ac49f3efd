"""Assets keep what came of searching for them, and whether they are found by their bytes only."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the two columns. Assets of earlier versions were all compared, and none was searched for yet."""
    op.add_column("assets", sa.Column("self_check", sa.JSON()))
    op.add_column("assets", sa.Column("by_bytes_only", sa.Boolean(), nullable=False, server_default=sa.false()))
    # SQLite adds a column that is never null only with a default. It stays: to take it off, the table would have to be
    # copied, and other tables refer to its rows.
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("assets", "by_bytes_only", server_default=None)
