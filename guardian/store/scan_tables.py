"""The tables of scans and of what they asked for. A change here needs a migration, as one in tables.py does."""

from sqlalchemy import BigInteger, Column, Date, Index, Integer, Table, Text, UniqueConstraint, text

from guardian.model import CrawlKind, FrontierState, ScanCounts, ScanOutcome
from guardian.store.columns import Document, Instant, Word
from guardian.store.tables import RowNumber, metadata

scans = Table(
    "scans",
    metadata,
    Column("id", RowNumber, primary_key=True),
    Column("source", Text, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("outcome", Word(ScanOutcome)),
    Column("counts", Document(ScanCounts), nullable=False),
    Column("error", Text),
    # No foreign key: the row of a process goes when it ends, what it did stays.
    Column("owner", Text),
    Column("leased_until", Instant),
    Index(None, "source", "id"),
    Index(None, "ended_at"),
    # A running scan is the claim on its source, so the database itself refuses a second one.
    Index(
        "uq_scans_running",
        "source",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    sqlite_autoincrement=True,
)

frontier = Table(
    "frontier",
    metadata,
    Column("id", RowNumber, primary_key=True),
    Column("source", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("kind", Word(CrawlKind), nullable=False),
    Column("depth", Integer, nullable=False),
    Column("referrer", Text),
    Column("state", Word(FrontierState), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("outcome", Text),
    UniqueConstraint("source", "key"),
    Index(None, "source", "state", "kind", "depth", "id"),
)

responses = Table(
    "responses",
    metadata,
    Column("key", Text, primary_key=True),
    Column("url", Text, nullable=False),
    Column("etag", Text),
    Column("last_modified", Text),
    Column("sha256", Text, nullable=False),
    Column("fetched_at", Instant, nullable=False),
    Column("checked_at", Instant, nullable=False),
    Column("extract", Text),
    Index(None, "checked_at"),
    # Leads from what was measured of some bytes to whether any address still holds them.
    Index(None, "sha256"),
)

requests = Table(
    "requests",
    metadata,
    Column("host", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("taken", BigInteger, nullable=False),
    Index(None, "day"),
)
