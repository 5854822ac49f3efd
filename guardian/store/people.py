"""People, their sessions, tokens and attempts to sign in, as rows."""

from datetime import datetime

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from guardian.model import ApiToken, BrowserSession, Permission, Person, Role
from guardian.store.inserting import insert_into
from guardian.store.people_tables import api_tokens, people, sessions, sign_in_links, sign_ins


class People:
    """The people table, and the sessions of people."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, person: Person, password_hash: str | None) -> bool:
        """Write a new person; return False when somebody has the name or the account, as of a moment ago."""
        statement = insert_into(self._connection, people).values(
            id=person.id,
            name=person.name,
            role=person.role,
            password_hash=password_hash,
            added_at=person.added_at,
            issuer=person.issuer,
            subject=person.subject,
        )
        inserted = statement.on_conflict_do_nothing().returning(people.c.id)
        return self._connection.execute(inserted).first() is not None

    def named(self, name: str) -> tuple[Person, str | None] | None:
        """Return the person of this name who may sign in, and the hash of the password; case does not count."""
        query = select(people).where(func.lower(people.c.name) == name.lower(), people.c.removed_at.is_(None))
        row = self._connection.execute(query).first()
        return None if row is None else (_person(row), row.password_hash)

    def of_provider(self, issuer: str, subject: str) -> Person | None:
        """Return the person behind an account of an OpenID Connect provider, removed ones too."""
        query = select(people).where(people.c.issuer == issuer, people.c.subject == subject)
        row = self._connection.execute(query).first()
        return None if row is None else _person(row)

    def all(self) -> list[Person]:
        """Return all people who may sign in, by name."""
        query = select(people).where(people.c.removed_at.is_(None)).order_by(people.c.name)
        return [_person(row) for row in self._connection.execute(query)]

    def hold(self) -> None:
        """Keep others from changing people until the transaction ends, so that the last admin stays."""
        self._connection.execute(select(people.c.id).with_for_update())

    def set_role(self, id_: str, role: Role) -> None:
        """Give a person another role; sessions follow at once."""
        self._connection.execute(update(people).where(people.c.id == id_).values(role=role))

    def set_password(self, id_: str, password_hash: str) -> None:
        """Replace a person's password."""
        self._connection.execute(update(people).where(people.c.id == id_).values(password_hash=password_hash))

    def remove(self, id_: str, at: datetime) -> None:
        """Let a person sign in no more, and end the sessions. The row stays: histories name it."""
        self._connection.execute(
            update(people).where(people.c.id == id_).values(removed_at=at, password_hash=None, name=_retired(id_))
        )
        self.end_sessions(id_)

    def begin_session(self, session: BrowserSession) -> None:
        """Write a new session."""
        self._connection.execute(
            insert(sessions).values(
                id=session.id,
                person_id=session.person.id,
                csrf=session.csrf,
                began_at=session.began_at,
                used_at=session.used_at,
            )
        )

    def session(self, id_: str) -> BrowserSession | None:
        """Return a session with its person as they are now; None when it has ended."""
        query = (
            select(sessions.c.csrf, sessions.c.began_at, sessions.c.used_at, *people.c)
            .join(people, people.c.id == sessions.c.person_id)
            .where(sessions.c.id == id_, people.c.removed_at.is_(None))
        )
        row = self._connection.execute(query).first()
        return None if row is None else BrowserSession(id_, _person(row), row.csrf, row.began_at, row.used_at)

    def use_session(self, id_: str, at: datetime) -> None:
        """Note that a session was used."""
        self._connection.execute(update(sessions).where(sessions.c.id == id_).values(used_at=at))

    def end_session(self, id_: str) -> None:
        """End one session."""
        self._connection.execute(delete(sessions).where(sessions.c.id == id_))

    def end_sessions(self, person_id: str) -> None:
        """End all sessions of a person, and the links that would begin one."""
        for table in (sessions, sign_in_links):
            self._connection.execute(delete(table).where(table.c.person_id == person_id))

    def forget_sessions(self, used_before: datetime, began_before: datetime) -> None:
        """Delete sessions that were not used since, or began before."""
        self._connection.execute(
            delete(sessions).where((sessions.c.used_at < used_before) | (sessions.c.began_at < began_before))
        )


class SignInLinks:
    """Links that sign somebody in once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, secret_sha256: str, person_id: str, until: datetime) -> None:
        """Write a new link with the SHA-256 of its secret."""
        values = {"secret_sha256": secret_sha256, "person_id": person_id, "until": until}
        self._connection.execute(insert(sign_in_links).values(**values))

    def take(self, secret_sha256: str, at: datetime) -> Person | None:
        """Delete the link with this digest and return whom it signs in; None when there is none, or none any more."""
        link = sign_in_links.c.secret_sha256 == secret_sha256
        # Deleting says who was first: of two requests at once only one gets the row.
        taken = delete(sign_in_links).where(link, sign_in_links.c.until > at).returning(sign_in_links.c.person_id)
        person_id = self._connection.execute(taken).scalar()
        query = select(people).where(people.c.id == person_id, people.c.removed_at.is_(None))
        row = self._connection.execute(query).first()
        return None if row is None else _person(row)

    def forget_ended(self, at: datetime) -> None:
        """Delete the links whose time is over."""
        self._connection.execute(delete(sign_in_links).where(sign_in_links.c.until <= at))


class SignIns:
    """Attempts to sign in, which bound how many more there may be."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def note(self, name: str, address: str, at: datetime, *, succeeded: bool) -> None:
        """Write an attempt. `name` is what was typed, in lower case."""
        self._connection.execute(insert(sign_ins).values(name=name, address=address, at=at, succeeded=succeeded))

    def failures(
        self, since: datetime, until: datetime, *, name: str | None = None, address: str | None = None
    ) -> list[datetime]:
        """Return when attempts failed between two times, oldest first: those for a name, from an address, or both."""
        is_failure = (sign_ins.c.at > since, sign_ins.c.at <= until, sign_ins.c.succeeded.is_(False))
        query = select(sign_ins.c.at).where(*is_failure)
        if name is not None:
            query = query.where(sign_ins.c.name == name)
        if address is not None:
            query = query.where(sign_ins.c.address == address)
        return list(self._connection.execute(query.order_by(sign_ins.c.at)).scalars())

    def has_succeeded(self, name: str, address: str) -> bool:
        """Return whether this name has signed in from this address before."""
        query = select(sign_ins.c.id).where(
            sign_ins.c.name == name, sign_ins.c.address == address, sign_ins.c.succeeded.is_(True)
        )
        return self._connection.execute(query.limit(1)).first() is not None

    def forget_before(self, at: datetime) -> None:
        """Delete attempts that are older."""
        self._connection.execute(delete(sign_ins).where(sign_ins.c.at < at))


class ApiTokens:
    """The tokens of programs."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, token: ApiToken, secret_sha256: str) -> None:
        """Write a new token with the SHA-256 of its secret."""
        self._connection.execute(
            insert(api_tokens).values(
                id=token.id,
                name=token.name,
                secret_sha256=secret_sha256,
                scopes=" ".join(sorted(token.scopes)),
                added_at=token.added_at,
                until=token.until,
                made_by=token.made_by,
            )
        )

    def of_secret(self, secret_sha256: str) -> ApiToken | None:
        """Return the token with this digest, ended ones too; None when there is none."""
        row = self._connection.execute(select(api_tokens).where(api_tokens.c.secret_sha256 == secret_sha256)).first()
        return None if row is None else _token(row)

    def all(self) -> list[ApiToken]:
        """Return all tokens, those that were revoked too, by name."""
        query = select(api_tokens).order_by(api_tokens.c.name, api_tokens.c.added_at)
        return [_token(row) for row in self._connection.execute(query)]

    def use(self, id_: str, at: datetime) -> None:
        """Note that a token was used."""
        self._connection.execute(update(api_tokens).where(api_tokens.c.id == id_).values(used_at=at))

    def revoke(self, id_: str, at: datetime) -> None:
        """Let a token open nothing any more."""
        self._connection.execute(update(api_tokens).where(api_tokens.c.id == id_).values(revoked_at=at))


def _retired(id_: str) -> str:
    # Names are unique, and somebody else may have this one later. Histories keep the name as text of their own.
    return f"removed {id_}"


def _person(row: Row[tuple[object, ...]]) -> Person:
    return Person(row.id, row.name, row.role, row.added_at, row.removed_at, row.issuer, row.subject)


def _token(row: Row[tuple[object, ...]]) -> ApiToken:
    scopes = frozenset(Permission(word) for word in row.scopes.split() if word in set(Permission))
    return ApiToken(row.id, row.name, scopes, row.added_at, row.until, row.used_at, row.revoked_at, row.made_by)
