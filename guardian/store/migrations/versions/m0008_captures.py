"""Versions of the bytes at a finding say why they are kept; evidence that none of them needs can be removed."""

import json
from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_AT_A_TIME = 500

_digests = sa.table(
    "finding_digests",
    sa.column("finding_id", sa.Text()),
    sa.column("candidate_sha256", sa.Text()),
    sa.column("page_sha256", sa.Text()),
    sa.column("importance", sa.Text()),
)
_messages = sa.table(
    "messages", sa.column("id", sa.Text()), sa.column("type", sa.Text()), sa.column("body", sa.LargeBinary())
)
_aliases = sa.table("finding_aliases", sa.column("id", sa.Text()), sa.column("finding_id", sa.Text()))


def upgrade() -> None:
    """Make columns and a table, and note the first version of each finding and those that messages named.

    What changed between the others is not known any more, so they stay until evidence needs their room.
    """
    _add_columns()
    op.create_table(
        "released_evidence",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_released_evidence"),
    )
    op.create_index("ix_released_evidence_released_at", "released_evidence", ["released_at"])

    _note_the_first()
    _note_those_told()
    op.create_index("ix_finding_digests_importance_last_seen_at", "finding_digests", ["importance", "last_seen_at"])
    op.create_index("ix_finding_digests_image_sha256", "finding_digests", ["image_sha256"])
    op.create_index("ix_finding_digests_page_sha256", "finding_digests", ["page_sha256"])


def _add_columns() -> None:
    op.add_column("findings", sa.Column("image_status", sa.Integer()))
    op.add_column("findings", sa.Column("page_status", sa.Integer()))

    # SQLite adds a column that is never null only with a default.
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    for name, kind, default in (("importance", sa.Text(), "unknown"), ("changes", sa.JSON(), "[]")):
        op.add_column("finding_digests", sa.Column(name, kind, nullable=False, server_default=default))
        if is_postgresql:
            op.alter_column("finding_digests", name, server_default=None)
    op.add_column("finding_digests", sa.Column("content_key", sa.Text()))
    op.add_column("finding_digests", sa.Column("dropped_at", sa.DateTime(timezone=True)))


def _note_the_first() -> None:
    """Call the earliest version of each finding whose picture was kept the first."""
    op.execute(
        "UPDATE finding_digests SET importance = 'first' WHERE image_sha256 IS NOT NULL AND NOT EXISTS ("
        "SELECT 1 FROM finding_digests AS other WHERE other.finding_id = finding_digests.finding_id"
        " AND other.image_sha256 IS NOT NULL AND (other.first_seen_at < finding_digests.first_seen_at"
        " OR (other.first_seen_at = finding_digests.first_seen_at"
        " AND (other.candidate_sha256, other.page_sha256)"
        " < (finding_digests.candidate_sha256, finding_digests.page_sha256))))"
    )


def _note_those_told() -> None:
    """Note the versions that messages named; a receiver may ask for their bytes at any time."""
    connection = op.get_bind()
    moved = {row.id: row.finding_id for row in connection.execute(sa.select(_aliases))}
    statement = (
        sa.update(_digests)
        .where(
            _digests.c.finding_id == sa.bindparam("finding"),
            _digests.c.candidate_sha256 == sa.bindparam("candidate"),
            _digests.c.page_sha256 == sa.bindparam("page"),
        )
        .values(importance="told")
    )
    for rows in _named_in_messages(connection):
        connection.execute(statement, [row | {"finding": moved.get(row["finding"], row["finding"])} for row in rows])


def _named_in_messages(connection: sa.Connection) -> Iterator[list[dict[str, str]]]:
    """Yield the finding and the digests that each message about a case names, some at a time."""
    last = ""
    while True:
        query = sa.select(_messages).where(_messages.c.id > last).order_by(_messages.c.id).limit(_AT_A_TIME)
        messages = connection.execute(query).all()
        if not messages:
            return

        named = []
        for message in messages:
            try:
                data = json.loads(message.body)["data"]
                evidence = data["evidence"]
                named.append(
                    {
                        "finding": data["finding"]["id"],
                        "candidate": evidence["candidate_sha256"],
                        "page": evidence["page_sha256"] or "",
                    }
                )
            except (ValueError, KeyError, TypeError):
                # A message about a source, which names no evidence.
                continue
        if named:
            yield named
        last = messages[-1].id
