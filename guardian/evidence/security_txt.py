"""Reads security.txt (RFC 9116): whom a site wants to be told of problems."""

from dataclasses import dataclass
from datetime import datetime

from guardian.views.plain_text import cleaned

PATH = "/.well-known/security.txt"
_MOST_BYTES = 65_536
_MOST_VALUES = 20
_LONGEST = 500
_FIELDS = ("contact", "expires", "policy", "canonical", "preferred-languages", "acknowledgments", "hiring", "csaf")


@dataclass(frozen=True, slots=True)
class SecurityText:
    """The fields of a security.txt, in lower case, each with its values in their order.

    `is_expired`: whether the time after which it must not be used has passed; None when it states none that is one.
    """

    fields: dict[str, tuple[str, ...]]
    is_expired: bool | None

    @property
    def contacts(self) -> tuple[str, ...]:
        """Where to write to, the preferred first: mail addresses, phone numbers and pages, as URIs."""
        return self.fields.get("contact", ())


def parse_security_txt(content: bytes, now: datetime) -> SecurityText | None:
    """Return what a security.txt says; None for bytes that are none (no contact, or a page of HTML)."""
    text = content[:_MOST_BYTES].decode("utf-8", "replace")
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        name, separator, value = line.partition(":")
        key = name.strip().lower()
        # Comments, signatures and what else may stand there are passed over (RFC 9116, 2.2 and 2.3).
        if separator and key in _FIELDS and len(found.setdefault(key, [])) < _MOST_VALUES:
            found[key].append(cleaned(value)[:_LONGEST])

    fields = {name: tuple(value for value in values if value) for name, values in found.items()}
    if not fields.get("contact") or text.lstrip()[:1] == "<":
        return None
    return SecurityText(fields, _is_expired(fields.get("expires", ()), now))


def _is_expired(values: tuple[str, ...], now: datetime) -> bool | None:
    if len(values) != 1:
        return None
    try:
        return datetime.fromisoformat(values[0]) < now
    except (ValueError, TypeError):
        # Not a time of RFC 3339, or one without its zone.
        return None
