"""People, tokens and lines of the audit log as JSON."""

from datetime import datetime
from typing import Any

from guardian.model import ApiToken, AuditLine, Person
from guardian.views.timestamps import json_timestamp


def person_json(person: Person) -> dict[str, Any]:
    """Return a person; never anything of a password."""
    return {
        "id": person.id,
        "name": person.name,
        "role": person.role.value,
        "added_at": json_timestamp(person.added_at),
        "signs_in_at": person.issuer,
    }


def token_state(token: ApiToken, now: datetime) -> str:
    """Return one word for whether a token opens anything: active, ended or revoked."""
    if token.revoked_at is not None:
        return "revoked"
    return "ended" if token.until is not None and token.until <= now else "active"


def token_json(token: ApiToken, now: datetime) -> dict[str, Any]:
    """Return a token; its secret is not known any more."""
    return {
        "id": token.id,
        "name": token.name,
        "scopes": sorted(scope.value for scope in token.scopes),
        "state": token_state(token, now),
        "added_at": json_timestamp(token.added_at),
        "until": json_timestamp(token.until) if token.until else None,
        "used_at": json_timestamp(token.used_at) if token.used_at else None,
        "revoked_at": json_timestamp(token.revoked_at) if token.revoked_at else None,
        "made_by": token.made_by,
    }


def audit_line_json(line: AuditLine) -> dict[str, Any]:
    """Return a line of the audit log."""
    return {
        "number": line.number,
        "at": json_timestamp(line.at),
        "actor_kind": line.actor_kind.value,
        "actor": line.actor,
        "address": line.address,
        "action": line.action,
        "subject": line.subject,
        "detail": dict(line.detail),
        "digest": line.digest,
    }
