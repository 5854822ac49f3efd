"""How sure guardian is of each case, and indexes by which the queue is chosen without reading rows."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"

_QUEUE = ["state", "rank", "id", "severity", "assignee", "confidence", "opened_at", "operator", "work_id"]
_cases = sa.table("cases", sa.column("id", sa.Text()), sa.column("confidence", sa.Double()))
_findings = sa.table("findings", sa.column("case_id", sa.Text()), sa.column("comparison", sa.JSON()))


def upgrade() -> None:
    """Add the column, as sure as the surest finding of each case is now, and choose by it without reading rows."""
    op.add_column("cases", sa.Column("confidence", sa.Double()))
    surest = sa.select(sa.func.max(_findings.c.comparison["probability"].as_float()))
    of_case = surest.where(_findings.c.case_id == _cases.c.id).scalar_subquery()
    op.execute(sa.update(_cases).values(confidence=of_case))
    op.drop_index("ix_cases_queue", table_name="cases")
    op.create_index("ix_cases_queue", "cases", _QUEUE)
    op.drop_index("ix_findings_licence", table_name="findings")
    op.create_index("ix_findings_licence_case_id", "findings", ["licence", "case_id"])
    op.create_index("ix_findings_source_case_id", "findings", ["source", "case_id"])
