"""The tables of holds and of what was deleted. A change here needs a migration, as one in tables.py does."""

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

from guardian.model import DeletedFile, DeletionReason
from guardian.store.columns import Document, Instant, Word
from guardian.store.tables import metadata

evidence_holds = Table(
    "evidence_holds",
    metadata,
    # No foreign key: cases are merged, and the hold goes with them.
    Column("case_id", Text, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("by", Text, nullable=False),
    Column("note", Text, nullable=False),
)

evidence_deletions = Table(
    "evidence_deletions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("case_id", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Word(DeletionReason), nullable=False),
    Column("note", Text, nullable=False),
    Column("captures", Integer, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    # What there was: names and digests stay, so that a copy that turns up elsewhere can be recognised.
    Column("files", Document(tuple[DeletedFile, ...]), nullable=False),
    Index(None, "case_id", "at"),
)
