"""The tables of the search. A change here needs a migration, as one in tables.py does."""

from sqlalchemy import BigInteger, Boolean, Column, Double, ForeignKey, Index, Table, Text

from guardian.model import LabelSource, Severity
from guardian.store.columns import Instant, Word
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

seen_labels = Table(
    "seen_labels",
    metadata,
    Column("picture_id", Text, ForeignKey("seen_pictures.id", ondelete="CASCADE"), primary_key=True),
    Column("term", Text, primary_key=True),
    Column("source", Word(LabelSource), nullable=False),
    Column("share", Double, nullable=False),
    Index(None, "term"),
)

# Pictures whose labels are to be made anew: met, seen in another place, joined to another one, or labelled by an
# earlier vocabulary. `has_words`: what their words say is kept, what they look like is still to be asked.
unlabelled_pictures = Table(
    "unlabelled_pictures",
    metadata,
    Column("picture_id", Text, ForeignKey("seen_pictures.id", ondelete="CASCADE"), primary_key=True),
    Column("has_words", Boolean, nullable=False),
    Index(None, "has_words"),
)

# What is done little by little over all rows: how far it has come, or by what it was last done.
upkeep = Table(
    "upkeep",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

named_searches = Table(
    "named_searches",
    metadata,
    Column("name", Text, primary_key=True),
    # What is asked, as JSON: see search/named.py.
    Column("asked", Text, nullable=False),
    Column("saved_at", Instant, nullable=False),
    # Of a watch: the least score that is told, how urgently, when it began, and up to which remembered picture it has
    # looked.
    Column("above", Double),
    Column("severity", Word(Severity)),
    Column("watched_since", Instant),
    Column("watched_to", BigInteger),
)

# Pictures that a watch has told of: it tells of each once.
watch_hits = Table(
    "watch_hits",
    metadata,
    Column("name", Text, primary_key=True),
    Column("sha256", Text, primary_key=True),
    Column("at", Instant, nullable=False),
)

# The words of the findings of a case, in one row or several: on SQLite an FTS5 table has them by the same id, on
# PostgreSQL a column of this one (see case_words.py).
case_words = Table(
    "case_words",
    metadata,
    Column("id", RowNumber, primary_key=True),
    Column("case_number", RowNumber, ForeignKey("cases.number", ondelete="CASCADE"), nullable=False),
    Index(None, "case_number"),
)

# The cases whose words are not kept as they now are. Triggers on the findings write it.
stale_case_words = Table(
    "stale_case_words",
    metadata,
    Column("case_id", Text, ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True),
)
