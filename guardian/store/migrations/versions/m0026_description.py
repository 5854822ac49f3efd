"""What the files of assets say of their content: keywords and captions, which are searched."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Add the column, empty: files are read when they are added."""
    op.add_column("assets", sa.Column("description", sa.JSON(), nullable=False, server_default="{}"))
