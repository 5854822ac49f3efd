"""People who sign in, tokens of programs, what each may do, and the log of what they did."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Permission(StrEnum):
    """One thing that a person or a token may do."""

    CASES_READ = "cases:read"
    CASES_WRITE = "cases:write"
    ASSETS_READ = "assets:read"
    ASSETS_WRITE = "assets:write"
    LICENCES_READ = "licences:read"
    LICENCES_WRITE = "licences:write"
    CHECK = "check"
    SEARCH = "search"
    OPERATIONS_READ = "operations:read"
    OPERATIONS_WRITE = "operations:write"
    SOURCES_SCAN = "sources:scan"
    PEOPLE = "people"


class Role(StrEnum):
    """What a person is to guardian."""

    VIEWER = "viewer"
    REVIEWER = "reviewer"
    ADMIN = "admin"

    @property
    def scopes(self) -> frozenset[Permission]:
        """What a person of this role may do."""
        return _SCOPES[self]


_READING = frozenset(
    {
        Permission.CASES_READ,
        Permission.ASSETS_READ,
        Permission.LICENCES_READ,
        Permission.CHECK,
        Permission.SEARCH,
        Permission.OPERATIONS_READ,
    }
)
_SCOPES = {
    Role.VIEWER: _READING,
    Role.REVIEWER: _READING
    | {Permission.CASES_WRITE, Permission.ASSETS_WRITE, Permission.LICENCES_WRITE, Permission.SOURCES_SCAN},
    Role.ADMIN: frozenset(Permission),
}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may sign in. `name` is unique and what the history of cases shows.

    `issuer` and `subject` name the account of an OpenID Connect provider; None for people with a password here.
    """

    id: str
    name: str
    role: Role
    added_at: datetime
    removed_at: datetime | None = None
    issuer: str | None = None
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """A browser that is signed in. The cookie's secret is not kept, only its SHA-256, which is `id`.

    `csrf` must come back with every form: a page of another site cannot know it.
    """

    id: str
    person: Person
    csrf: str
    began_at: datetime
    used_at: datetime


@dataclass(frozen=True, slots=True)
class ApiToken:
    """What a program shows in place of a password. The secret is shown once and kept as its SHA-256 alone.

    `made_by`: the name of the person who made it; None where nobody knows any more.
    """

    id: str
    name: str
    scopes: frozenset[Permission]
    added_at: datetime
    until: datetime | None = None
    used_at: datetime | None = None
    revoked_at: datetime | None = None
    made_by: str | None = None


class ActorKind(StrEnum):
    """How somebody came to act."""

    PERSON = "person"
    TOKEN = "token"  # noqa: S105 - a word, no secret
    COMMAND_LINE = "command line"
    GUARDIAN = "guardian"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something: a signed-in person, a token's program, a user of the command line, or guardian itself.

    `address` is the network address that it came from; None on the machine itself. `token_of`: of a token, the name of
    the person who made it, where that is known.
    """

    kind: ActorKind
    name: str
    scopes: frozenset[Permission]
    address: str | None = None
    token_of: str | None = None

    @property
    def person(self) -> str | None:
        """The name of the person who acts, by a program or not; None for guardian, and where nobody knows."""
        if self.kind is ActorKind.TOKEN:
            return self.token_of
        return None if self.kind is ActorKind.GUARDIAN else self.name

    def may(self, scope: Permission) -> bool:
        """Return whether this actor may do this."""
        return scope in self.scopes


BY_GUARDIAN = Actor(ActorKind.GUARDIAN, "guardian", frozenset())
"""guardian itself, where no person acts."""


@dataclass(frozen=True, slots=True)
class AuditLine:
    """A line of the audit log, which only grows. `number` counts from 1 without a gap.

    `digest` is the SHA-256 over the digest of the line before and this line's own content, in hexadecimal: nobody can
    change, remove or insert a line without changing all digests after it.
    """

    number: int
    at: datetime
    actor_kind: ActorKind
    actor: str
    action: str
    subject: str | None
    address: str | None
    detail: Mapping[str, str] = field(default_factory=dict)
    digest: str = ""


@dataclass(frozen=True, slots=True)
class AuditHead:
    """The number and digest of the last line of the audit log. Whoever keeps one can show later that lines are gone."""

    number: int
    digest: str

    def __str__(self) -> str:
        """Return it as people and messages carry it."""
        return f"{self.number}:{self.digest}"


@dataclass(frozen=True, slots=True)
class SavedView:
    """A choice of the queue that a person has saved under a name. `query`: the query string that makes it again."""

    name: str
    query: str
