"""Who made each token: the audit log knows it of those that are there."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"

_FILL = """
    UPDATE api_tokens SET made_by = (
        SELECT actor FROM audit
        WHERE audit.subject = api_tokens.id AND audit.action = 'token.added' AND audit.actor_kind <> 'token'
        ORDER BY audit.number LIMIT 1
    )
"""


def upgrade() -> None:
    """Add the column, and fill it from the audit log."""
    op.add_column("api_tokens", sa.Column("made_by", sa.Text()))
    op.execute(_FILL)
