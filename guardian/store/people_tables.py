"""The tables of people, tokens and the audit log. A change here needs a migration, as one in tables.py does."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Table, Text, UniqueConstraint

from guardian.model import ActorKind, Role
from guardian.store.columns import Instant, Word
from guardian.store.tables import RowNumber, metadata

people = Table(
    "people",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("role", Word(Role), nullable=False),
    # Null for those who sign in at an OpenID Connect provider, and for those who were removed.
    Column("password_hash", Text),
    Column("added_at", Instant, nullable=False),
    Column("removed_at", Instant),
    Column("issuer", Text),
    Column("subject", Text),
    UniqueConstraint("issuer", "subject"),
)

sessions = Table(
    "sessions",
    metadata,
    # The SHA-256 of the cookie: whoever reads the table cannot sign in with it.
    Column("id", Text, primary_key=True),
    Column("person_id", Text, ForeignKey("people.id"), nullable=False),
    Column("csrf", Text, nullable=False),
    Column("began_at", Instant, nullable=False),
    Column("used_at", Instant, nullable=False),
    Index(None, "person_id"),
)

sign_in_links = Table(
    "sign_in_links",
    metadata,
    # The SHA-256 of the secret in the address, as with sessions. The row goes when the link is used.
    Column("secret_sha256", Text, primary_key=True),
    Column("person_id", Text, ForeignKey("people.id"), nullable=False),
    Column("until", Instant, nullable=False),
    Index(None, "person_id"),
)

sign_ins = Table(
    "sign_ins",
    metadata,
    Column("id", RowNumber, primary_key=True),
    Column("name", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("succeeded", Boolean, nullable=False),
    Index(None, "name", "at"),
    Index(None, "address", "at"),
)

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("secret_sha256", Text, nullable=False, unique=True),
    Column("scopes", Text, nullable=False),
    Column("added_at", Instant, nullable=False),
    Column("until", Instant),
    Column("used_at", Instant),
    Column("revoked_at", Instant),
    # A name: people are removed, and their names stay in histories. NULL where nobody knows any more.
    Column("made_by", Text),
)

audit = Table(
    "audit",
    metadata,
    # Counted by the counter "audit", without a gap, so that a missing line shows.
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("actor_kind", Word(ActorKind), nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text),
    Column("address", Text),
    # JSON as text: its bytes are digested.
    Column("detail", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Index(None, "subject"),
)
