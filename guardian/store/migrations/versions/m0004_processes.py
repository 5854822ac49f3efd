"""Several processes may work on one database: each is known, and what it works on names it."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the table of processes; scans name their owner, and one at a time runs for each source."""
    op.create_table(
        "processes",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("command", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_processes"),
    )
    op.add_column("scans", sa.Column("owner", sa.Text()))
    op.add_column("scans", sa.Column("leased_until", sa.DateTime(timezone=True)))
    # What a dead process has left running is nobody's, and the next scan of its source closes it. Two of one source
    # should not be, but nothing kept them from being.
    op.execute(
        "UPDATE scans SET ended_at = started_at, outcome = 'interrupted' WHERE ended_at IS NULL "
        "AND id NOT IN (SELECT max(id) FROM scans WHERE ended_at IS NULL GROUP BY source)"
    )
    running = sa.text("ended_at IS NULL")
    op.create_index(
        "uq_scans_running", "scans", ["source"], unique=True, sqlite_where=running, postgresql_where=running
    )
