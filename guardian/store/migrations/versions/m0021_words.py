"""The words of assets and of places where pictures were seen, and a full-text index over them."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"

_FIELDS = "title, tags, caption, page, around"

# The words are split and folded already; marks belong to words, as vowels do in Hindi.
_FTS5 = f"""
CREATE VIRTUAL TABLE picture_words_fts USING fts5(
    {_FIELDS}, content='picture_words', content_rowid='id',
    tokenize="unicode61 remove_diacritics 0 categories 'L* N* Co M*'"
)
"""
_ADD = f"INSERT INTO picture_words_fts(rowid, {_FIELDS}) VALUES (new.id, new.title, new.tags, new.caption, new.page, new.around);"  # noqa: S608,E501
_REMOVE = f"INSERT INTO picture_words_fts(picture_words_fts, rowid, {_FIELDS}) VALUES ('delete', old.id, old.title, old.tags, old.caption, old.page, old.around);"  # noqa: S608,E501


def upgrade() -> None:
    """Make them empty: the words themselves are split when the database is opened (guardian/store/renewed_words.py)."""
    row_number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "picture_words",
        sa.Column("id", row_number, autoincrement=False, nullable=False),
        sa.Column("address_id", row_number),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("caption", sa.Text(), nullable=False),
        sa.Column("page", sa.Text(), nullable=False),
        sa.Column("around", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["address_id"], ["seen_addresses.id"], name="fk_picture_words_address_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_picture_words"),
    )
    op.create_index("ix_picture_words_address_id", "picture_words", ["address_id"])
    if op.get_bind().dialect.name == "sqlite":
        _follow_on_sqlite()
    else:
        _follow_on_postgresql()


def _follow_on_sqlite() -> None:
    op.execute(_FTS5)
    op.execute(f"CREATE TRIGGER picture_words_added AFTER INSERT ON picture_words BEGIN {_ADD} END")
    op.execute(f"CREATE TRIGGER picture_words_removed AFTER DELETE ON picture_words BEGIN {_REMOVE} END")
    op.execute(f"CREATE TRIGGER picture_words_changed AFTER UPDATE ON picture_words BEGIN {_REMOVE} {_ADD} END")


def _follow_on_postgresql() -> None:
    weighed = " || ".join(
        f"setweight(to_tsvector('simple', {field}), '{weight}')"
        for field, weight in (("title", "A"), ("tags", "A"), ("caption", "B"), ("page", "C"), ("around", "D"))
    )
    op.execute(f"ALTER TABLE picture_words ADD COLUMN vector tsvector GENERATED ALWAYS AS ({weighed}) STORED")
    op.execute("CREATE INDEX picture_words_vector ON picture_words USING gin (vector)")
