"""The tables of the memory: what scans have seen. A change here needs a migration, as one in tables.py does."""

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from guardian.model import Context, EarlierUseState
from guardian.store.columns import Document, Instant, Word
from guardian.store.tables import RowNumber, metadata

# Every picture that a scan compared, strangers too (see guardian/memory/).
seen_pictures = Table(
    "seen_pictures",
    metadata,
    Column("id", Text, primary_key=True),
    # What names it in the segments of the memory.
    Column("number", BigInteger, nullable=False, unique=True),
    Column("sha256", Text, nullable=False, unique=True),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("format", Text, nullable=False),
    Column("perceptual_hash", Text),
    Column("first_seen_at", Instant, nullable=False),
    Column("last_seen_at", Instant, nullable=False),
    # How its fingerprint was made, the memory folder that is to hold it, and the fingerprint until a segment does.
    Column("recipe", Text),
    Column("shard", Text),
    Column("pending", LargeBinary),
    Column("bytes", Integer, nullable=False),
    Column("same_as", Text),
    Index(None, "last_seen_at"),
    Index(None, "same_as"),
    Index(
        "ix_seen_pictures_pending",
        "shard",
        "number",
        sqlite_where=text("pending IS NOT NULL"),
        postgresql_where=text("pending IS NOT NULL"),
    ),
)

seen_addresses = Table(
    "seen_addresses",
    metadata,
    Column("id", RowNumber, primary_key=True),
    Column("picture_id", Text, ForeignKey("seen_pictures.id", ondelete="CASCADE"), nullable=False),
    # A digest of the keys of page and picture: the next signature of an address is no other place.
    Column("place", Text, nullable=False),
    Column("image_url", Text),
    Column("page_url", Text),
    Column("host", Text, nullable=False),
    Column("image_host", Text, nullable=False),
    # The registrable domains of the two, by which a host and its subdomains are found.
    Column("domain", Text, nullable=False),
    Column("image_domain", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("context", Document(Context), nullable=False),
    # The words of the context, one text a line, as they are searched.
    Column("words", Text, nullable=False),
    Column("first_seen_at", Instant, nullable=False),
    Column("last_seen_at", Instant, nullable=False),
    UniqueConstraint("picture_id", "place", name="uq_seen_addresses_place"),
    Index(None, "domain"),
    Index(None, "image_domain"),
    sqlite_autoincrement=True,
)

# Hosts whose owners asked to be forgotten: nothing of them is remembered again.
unremembered_hosts = Table(
    "unremembered_hosts",
    metadata,
    Column("host", Text, primary_key=True),
    Column("at", Instant, nullable=False),
)

# Where the memory saw an asset before it was protected, and what a look at the place since then has shown.
earlier_uses = Table(
    "earlier_uses",
    metadata,
    Column("id", Text, primary_key=True),
    Column("asset_id", Text, ForeignKey("assets.id"), nullable=False),
    Column("place", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("image_url", Text),
    Column("page_url", Text),
    Column("host", Text, nullable=False),
    Column("image_host", Text, nullable=False),
    Column("domain", Text, nullable=False),
    Column("image_domain", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("context", Document(Context), nullable=False),
    Column("first_seen_at", Instant, nullable=False),
    Column("last_seen_at", Instant, nullable=False),
    Column("probability", Double, nullable=False),
    Column("description", Text, nullable=False),
    Column("state", Word(EarlierUseState), nullable=False),
    Column("checked_at", Instant),
    Column("detail", Text, nullable=False),
    UniqueConstraint("asset_id", "place", name="uq_earlier_uses_place"),
    Index(None, "domain"),
    Index(None, "image_domain"),
)
