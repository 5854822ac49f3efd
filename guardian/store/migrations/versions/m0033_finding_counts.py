"""How many findings each case has, which triggers keep, so that nobody counts a million of them for a list."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"

_OPERATOR = ("operator", "state", "rank", "number", "work_id", "finding_count")
_MORE = "UPDATE cases SET finding_count = finding_count + 1 WHERE id = new.case_id;"
_LESS = "UPDATE cases SET finding_count = finding_count - 1 WHERE id = old.case_id;"


def upgrade() -> None:
    """Count the findings of each case, and keep the count by triggers: no writer can forget to."""
    op.add_column("cases", sa.Column("finding_count", sa.Integer(), nullable=False, server_default="0"))
    op.execute("UPDATE cases SET finding_count = (SELECT count(*) FROM findings WHERE findings.case_id = cases.id)")
    op.drop_index("ix_cases_operator", table_name="cases")
    op.create_index("ix_cases_operator", "cases", list(_OPERATOR))
    if op.get_bind().dialect.name == "sqlite":
        for event, counts in (("INSERT", _MORE), ("DELETE", _LESS), ("UPDATE OF case_id", _LESS + _MORE)):
            name = f"findings_{event.split()[0].lower()}_counted"
            when = "WHEN old.case_id IS NOT new.case_id" if event.startswith("UPDATE") else ""
            op.execute(f"CREATE TRIGGER {name} AFTER {event} ON findings {when} BEGIN {counts} END")
        return

    op.alter_column("cases", "finding_count", server_default=None)
    # Runs after the trigger that marks the words of both cases (by its name), which has locked them in their order.
    op.execute(f"""
        CREATE FUNCTION count_findings() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP <> 'INSERT' THEN {_LESS} END IF;
            IF TG_OP <> 'DELETE' THEN {_MORE} END IF;
            RETURN NULL;
        END $$
    """)
    op.execute(
        "CREATE TRIGGER findings_counted AFTER INSERT OR DELETE ON findings "
        "FOR EACH ROW EXECUTE FUNCTION count_findings()"
    )
    op.execute(
        "CREATE TRIGGER findings_moved_counted AFTER UPDATE OF case_id ON findings "
        "FOR EACH ROW WHEN (old.case_id IS DISTINCT FROM new.case_id) EXECUTE FUNCTION count_findings()"
    )
