"""Assets that show the same whole picture are one work; cases and findings are those of a work."""

import sqlalchemy as sa
from alembic import op

from guardian.store.ids import new_id

revision = "0006"
down_revision = "0005"

_AT_A_TIME = 500

_assets = sa.table("assets", sa.column("id", sa.Text()), sa.column("work_id", sa.Text()))


def upgrade() -> None:
    """Make columns and tables, and every asset a work of its own.

    Which assets show the same picture, only the matcher can say: the catalogue asks it when it is next at work, and
    merges cases then (guardian/catalog/works.py).
    """
    _add_columns()
    _make_tables()
    _give_each_asset_a_work()

    for table in ("cases", "findings"):
        op.execute(
            f"UPDATE {table} SET work_id = (SELECT work_id FROM assets WHERE assets.id = {table}.asset_id)"  # noqa: S608
        )
    op.create_index("ix_assets_work_id", "assets", ["work_id"])
    op.create_index("ix_assets_work_rule", "assets", ["work_rule"])
    op.create_index("ix_cases_work_id_operator", "cases", ["work_id", "operator"], unique=True)
    op.drop_index("ix_findings_asset_id_page_key_picture_key_key_version", "findings")
    op.create_index(
        "ix_findings_work_id_page_key_picture_key_key_version",
        "findings",
        ["work_id", "page_key", "picture_key", "key_version"],
        unique=True,
    )


def _add_columns() -> None:
    # SQLite adds a column that is never null only with a default; all rows get a value of their own below.
    for table in ("assets", "cases", "findings"):
        op.add_column(table, sa.Column("work_id", sa.Text(), nullable=False, server_default=""))
        if op.get_bind().dialect.name == "postgresql":
            op.alter_column(table, "work_id", server_default=None)
    op.add_column("assets", sa.Column("work_rule", sa.Integer()))


def _make_tables() -> None:
    op.create_table(
        "work_aliases",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("work_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_work_aliases"),
    )
    op.create_index("ix_work_aliases_work_id", "work_aliases", ["work_id"])
    op.create_table(
        "parted_assets",
        sa.Column("asset_id", sa.Text(), nullable=False),
        sa.Column("other_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("note", sa.Text()),
        sa.ForeignKeyConstraint(["asset_id"], ["assets.id"], name="fk_parted_assets_asset_id"),
        sa.ForeignKeyConstraint(["other_id"], ["assets.id"], name="fk_parted_assets_other_id"),
        sa.PrimaryKeyConstraint("asset_id", "other_id", name="pk_parted_assets"),
    )
    op.create_index("ix_parted_assets_other_id", "parted_assets", ["other_id"])
    op.create_table(
        "case_aliases",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_case_aliases_case_id"),
        sa.PrimaryKeyConstraint("id", name="pk_case_aliases"),
    )
    op.create_index("ix_case_aliases_case_id", "case_aliases", ["case_id"])


def _give_each_asset_a_work() -> None:
    connection = op.get_bind()
    ids = connection.execute(sa.select(_assets.c.id).order_by(_assets.c.id)).scalars().all()
    statement = sa.update(_assets).where(_assets.c.id == sa.bindparam("row")).values(work_id=sa.bindparam("work"))
    for start in range(0, len(ids), _AT_A_TIME):
        rows = [{"row": id_, "work": new_id("work")} for id_ in ids[start : start + _AT_A_TIME]]
        connection.execute(statement, rows)
