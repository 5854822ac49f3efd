"""How long an answer may stand without asking again, as its site said (RFC 9111). Nothing is guessed from dates."""

import re
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from guardian.model import Response

_DIRECTIVE = re.compile(r'([\w-]+)(?:\s*=\s*(?:"([^"]*)"|([^\s,;]*)))?')
_LONGEST_SECONDS = 2**31


def may_be_remembered(response: Response) -> bool:
    """Whether the next request may build on this answer: not when it says no-store, or varies by everything."""
    return "no-store" not in _directives(response) and (response.header("vary") or "").strip() != "*"


def fresh_for(response: Response) -> timedelta:
    """How much longer the site calls this answer fresh, from the moment it came: max-age, else Expires, less Age."""
    said = _directives(response)
    if "no-cache" in said or "no-store" in said:
        return timedelta()
    lifetime = _seconds(said["max-age"]) if "max-age" in said else _until_expiry(response)
    return max(timedelta(), timedelta(seconds=lifetime - _seconds(response.header("age"))))


def _directives(response: Response) -> dict[str, str]:
    """Cache-Control, all its lines; the first of two equal directives counts, and a bare one has no value."""
    lines = [value for name, value in response.headers if name.lower() == "cache-control"]
    said: dict[str, str] = {}
    for found in _DIRECTIVE.finditer(", ".join(lines)):
        said.setdefault(found[1].lower(), found[2] or found[3] or "")
    return said


def _until_expiry(response: Response) -> float:
    expires = _moment(response.header("expires"))
    if expires is None:
        return 0
    return (expires - (_moment(response.header("date")) or response.fetched_at)).total_seconds()


def _seconds(text: str | None) -> int:
    """A number of seconds; what is none counts as 0, which is never too trusting."""
    text = (text or "").strip()
    return min(int(text[:12]), _LONGEST_SECONDS) if text.isascii() and text.isdigit() else 0


def _moment(text: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text or "")
    except (ValueError, TypeError):
        return None
    return moment if moment.tzinfo else None
