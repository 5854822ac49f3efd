"""The tables of the search. A change here needs a migration, as one in tables.py does."""

from sqlalchemy import Column, ForeignKey, Index, Table, Text

from guardian.store.tables import RowNumber, metadata

# The words of each asset, and of each place where a picture was seen, as views/word_tokens.py splits them. On SQLite
# an FTS5 table and its triggers follow this one, on PostgreSQL a generated column (see words.py).
picture_words = Table(
    "picture_words",
    metadata,
    # The number of the place; of an asset its number, below zero.
    Column("id", RowNumber, primary_key=True, autoincrement=False),
    Column("address_id", RowNumber, ForeignKey("seen_addresses.id", ondelete="CASCADE")),
    Column("title", Text, nullable=False),
    Column("tags", Text, nullable=False),
    Column("caption", Text, nullable=False),
    Column("page", Text, nullable=False),
    Column("around", Text, nullable=False),
    Index(None, "address_id"),
)
