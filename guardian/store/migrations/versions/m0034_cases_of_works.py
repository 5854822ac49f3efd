"""An index in which the cases of each work stand together, for the queue in groups of works."""

from alembic import op

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    """Make the index, as there is one for operators."""
    op.create_index("ix_cases_work", "cases", ["work_id", "state", "rank", "number", "operator"])
