"""Tokens: what programs show in place of a password."""

import secrets
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

from guardian.errors import UsageError
from guardian.model import Actor, ActorKind, ApiToken, Permission
from guardian.people.people import checked_name
from guardian.people.signing_in import digest_of
from guardian.store import Store, Transaction
from guardian.store.ids import new_id

PREFIX = "guardian_"
"""What every token begins with, so that scanners for leaked secrets can find it."""

_USE_NOTED = timedelta(minutes=1)


def add_token(
    tx: Transaction, actor: Actor, name: str, scopes: Iterable[Permission], until: datetime | None, at: datetime
) -> tuple[str, ApiToken]:
    """Return the secret of a new token, which is shown this once, and the token. Raises UsageError."""
    wanted = frozenset(scopes)
    if not wanted:
        raise UsageError("say at least one thing that the token may do (a scope)")
    if until is not None and until <= at:
        raise UsageError(f"the token would have ended already ({until:%Y-%m-%d})")
    if beyond := wanted - actor.scopes:
        raise UsageError(f"you may not give what you may not do: {', '.join(sorted(beyond))}")

    token = ApiToken(new_id("token"), checked_name(name), wanted, at, until, made_by=actor.person)
    secret = PREFIX + secrets.token_urlsafe(32)
    tx.api_tokens.add(token, digest_of(secret))
    tx.audit.add(actor, "token.added", token.id, at, {"name": token.name, "scopes": " ".join(sorted(wanted))})
    return secret, token


def end_after(day: date) -> datetime:
    """Return the moment at which a token ends whose last day (UTC) is `day`. Raises UsageError for the last of all."""
    try:
        return datetime.combine(day + timedelta(days=1), time(), UTC)
    except OverflowError as error:
        raise UsageError(f"{day} is the last day there is; a token without a last day never ends") from error


def revoke_token(tx: Transaction, actor: Actor, token: ApiToken, at: datetime) -> None:
    """Let a token open nothing any more."""
    tx.api_tokens.revoke(token.id, at)
    tx.audit.add(actor, "token.revoked", token.id, at, {"name": token.name})


def holder_of(store: Store, secret: str, address: str | None, at: datetime) -> Actor | None:
    """Return who shows a token; None for one that never was, was revoked or has ended."""
    with store.read() as tx:
        token = tx.api_tokens.of_secret(digest_of(secret))
    if token is None or token.revoked_at is not None or (token.until is not None and token.until <= at):
        return None

    if token.used_at is None or at - token.used_at > _USE_NOTED:
        with store.begin() as tx:
            tx.api_tokens.use(token.id, at)
    return Actor(ActorKind.TOKEN, token.name, token.scopes, address, token_of=token.made_by)
