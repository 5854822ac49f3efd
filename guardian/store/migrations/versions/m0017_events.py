"""Lines of histories are told of once to who asks; messages may wait for a digest or for a person."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Add the column and the tables. What happened before this is not told of."""
    op.add_column("case_events", sa.Column("told", sa.Boolean(), nullable=False, server_default=sa.true()))
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    if is_postgresql:
        op.alter_column("case_events", "told", server_default=None)
    op.create_index(
        "ix_case_events_untold",
        "case_events",
        ["id"],
        sqlite_where=sa.text("told = 0"),
        postgresql_where=sa.text("NOT told"),
    )
    op.create_table(
        "waiting_messages",
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("key", sa.Text()),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name="fk_waiting_messages_message_id"),
        sa.PrimaryKeyConstraint("message_id", "destination", name="pk_waiting_messages"),
    )
    op.create_index("ix_waiting_messages_destination_key", "waiting_messages", ["destination", "key"])
    op.create_table(
        "floods",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("messages", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", "hour", name="pk_floods"),
    )
    op.create_index("ix_floods_hour", "floods", ["hour"])
