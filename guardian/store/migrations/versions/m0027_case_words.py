"""The words of the findings of each case, and a full-text index over them."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"

# The words are split and folded already; see m0021_words.py.
_FTS5 = """
CREATE VIRTUAL TABLE case_words_fts USING fts5(
    words, tokenize="unicode61 remove_diacritics 0 categories 'L* N* Co M*'"
)
"""

# A case is marked whenever one of its findings comes, goes, or says something else.
_MARK = "INSERT INTO stale_case_words (case_id) SELECT id FROM cases WHERE id IN ({ids})"
_SAYS_SOMETHING_ELSE = " OR ".join(
    (
        "old.page_url <> new.page_url",
        "old.image_url <> new.image_url",
        "CAST(old.context AS text) <> CAST(new.context AS text)",
    )
)


def upgrade() -> None:
    """Make the tables, and mark all cases: their words are kept in steps, while guardian works."""
    row_number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "case_words",
        sa.Column("id", row_number, nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_case_words_case_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_case_words"),
    )
    op.create_index("ix_case_words_case_id", "case_words", ["case_id"])
    op.create_table(
        "stale_case_words",
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_stale_case_words_case_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("case_id", name="pk_stale_case_words"),
    )
    op.execute("INSERT INTO stale_case_words (case_id) SELECT id FROM cases")
    if op.get_bind().dialect.name == "sqlite":
        _follow_on_sqlite()
    else:
        _follow_on_postgresql()


def _follow_on_sqlite() -> None:
    op.execute(_FTS5)
    forget = "DELETE FROM case_words_fts WHERE rowid = old.id;"
    op.execute(f"CREATE TRIGGER case_words_removed AFTER DELETE ON case_words BEGIN {forget} END")
    for event, ids in (
        ("INSERT", "new.case_id"),
        ("DELETE", "old.case_id"),
        (
            "UPDATE OF case_id, page_url, image_url, context",
            "old.case_id, new.case_id",
        ),
    ):
        name = f"findings_{event.split()[0].lower()}_case_words"
        when = f"WHEN old.case_id IS NOT new.case_id OR {_SAYS_SOMETHING_ELSE}" if event.startswith("UPDATE") else ""
        mark = f"{_MARK.format(ids=ids)} ON CONFLICT DO NOTHING;"
        op.execute(f"CREATE TRIGGER {name} AFTER {event} ON findings {when} BEGIN {mark} END")


def _follow_on_postgresql() -> None:
    op.execute("ALTER TABLE case_words ADD COLUMN vector tsvector NOT NULL")
    op.execute("CREATE INDEX case_words_vector ON case_words USING gin (vector)")
    # The case is locked, as it is by whoever records a use: who keeps the words passes over it until this transaction
    # has ended, and always in this order, so that two never wait for each other.
    mark = _MARK.format(ids="OLD.case_id, NEW.case_id") + " ORDER BY id FOR NO KEY UPDATE"
    op.execute(f"""
        CREATE FUNCTION mark_case_words() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            {mark} ON CONFLICT DO NOTHING;
            RETURN NULL;
        END $$
    """)
    op.execute(
        "CREATE TRIGGER findings_case_words AFTER INSERT OR DELETE ON findings "
        "FOR EACH ROW EXECUTE FUNCTION mark_case_words()"
    )
    op.execute(
        "CREATE TRIGGER findings_changed_case_words AFTER UPDATE OF case_id, page_url, image_url, context ON findings "
        f"FOR EACH ROW WHEN (old.case_id IS DISTINCT FROM new.case_id OR {_SAYS_SOMETHING_ELSE}) "
        "EXECUTE FUNCTION mark_case_words()"
    )
