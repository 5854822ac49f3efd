"""Licences may name an account or path, a tag, a medium, a note and the digest of their proof."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Add the columns; none of the licences that are there has any of it."""
    for name in ("path", "tag", "medium", "note", "proof_sha256"):
        op.add_column("licences", sa.Column(name, sa.Text()))
