"""Cases have a version, a reason, an assignee, labels, a due date and a rank; lines of their history can be undone."""

import math
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

_AT_A_TIME = 2_000
_SEVERITY_POINTS = {"low": 10, "medium": 20, "high": 30, "critical": 40}

_cases = sa.table(
    "cases",
    sa.column("id", sa.Text()),
    sa.column("operator", sa.Text()),
    sa.column("severity", sa.Text()),
    sa.column("opened_at", sa.DateTime(timezone=True)),
    sa.column("share_used", sa.Double()),
    sa.column("rank", sa.Double()),
)
_findings = sa.table(
    "findings", sa.column("id", sa.Text()), sa.column("case_id", sa.Text()), sa.column("comparison", sa.JSON())
)


def upgrade() -> None:
    """Add the columns. No case changes its state; its version is the number of lines that its history has."""
    # SQLite adds a column that is never null only with a default.
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    for name, kind, default in (
        ("version", sa.Integer(), "0"),
        ("labels", sa.JSON(), "[]"),
        ("commercial", sa.JSON(), "[]"),
        ("rank", sa.Double(), "0"),
    ):
        op.add_column("cases", sa.Column(name, kind, nullable=False, server_default=default))
        if is_postgresql:
            op.alter_column("cases", name, server_default=None)
    for name in ("reason", "assignee", "untold"):
        op.add_column("cases", sa.Column(name, sa.Text()))
    op.add_column("cases", sa.Column("due_on", sa.Date()))
    op.add_column("cases", sa.Column("share_used", sa.Double()))

    op.add_column("case_events", sa.Column("detail", sa.Text()))
    op.add_column("case_events", sa.Column("before", sa.JSON(none_as_null=True)))
    op.add_column("case_events", sa.Column("undoes", sa.BigInteger()))
    op.add_column("case_events", sa.Column("batch", sa.Text()))
    op.create_index("ix_case_events_batch", "case_events", ["batch"])

    op.execute("UPDATE cases SET version = (SELECT count(*) FROM case_events WHERE case_id = cases.id)")
    _rank()
    op.create_index("ix_cases_operator", "cases", ["operator"])
    op.create_index("ix_cases_queue", "cases", ["state", "rank", "id", "severity", "assignee"])


def _rank() -> None:
    """Rank the cases as guardian did when this was written; signs of trade are found when a use is seen again."""
    connection = op.get_bind()
    shares, places = _seen(connection)
    of_operator = sa.select(_cases.c.operator, sa.func.count()).group_by(_cases.c.operator)
    works = {row[0]: row[1] for row in connection.execute(of_operator)}

    ranked = []
    for row in connection.execute(sa.select(_cases)).all():
        share = shares.get(row.id)
        points = (
            _SEVERITY_POINTS.get(row.severity, 0)
            + (10.0 if share is None else round(20 * share, 1))
            + _points_of_many(places.get(row.id, 0))
            + _points_of_many(works[row.operator])
        )
        opened_at = row.opened_at if row.opened_at.tzinfo is not None else row.opened_at.replace(tzinfo=UTC)
        weeks = (opened_at - datetime(2020, 1, 1, tzinfo=UTC)).total_seconds() / (7 * 86_400)
        ranked.append({"row": row.id, "share": share, "its_rank": points - weeks})
    if ranked:
        statement = sa.update(_cases).where(_cases.c.id == sa.bindparam("row"))
        connection.execute(statement.values(share_used=sa.bindparam("share"), rank=sa.bindparam("its_rank")), ranked)


def _seen(connection: sa.Connection) -> tuple[dict[str, float], dict[str, int]]:
    """Return by case the largest share of the work that was seen, if any was measured, and how many findings it has."""
    shares: dict[str, float] = {}
    places: dict[str, int] = {}
    last = ""
    while True:
        query = sa.select(_findings).where(_findings.c.id > last).order_by(_findings.c.id).limit(_AT_A_TIME)
        rows = connection.execute(query).all()
        if not rows:
            return shares, places

        for row in rows:
            last = row.id
            if row.case_id is None:
                continue
            places[row.case_id] = places.get(row.case_id, 0) + 1
            share = row.comparison.get("asset_coverage")
            if share is not None:
                shares[row.case_id] = max(share, shares.get(row.case_id, 0.0))


def _points_of_many(number: int) -> int:
    return 3 * min(4, int(math.log2(max(1, number))))
