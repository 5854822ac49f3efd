"""Reads RDAP (RFC 9083): who registered a domain or holds a network, and whom to write to about abuse.

Where to ask is either configured or follows from the list of servers that guardian comes with (rdap_servers.json). It
is a part of what IANA publishes (RFC 9224), typed in by hand; what it does not name is not asked.
"""

import ipaddress
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from guardian.views.plain_text import cleaned

_SERVERS = Path(__file__).parent / "rdap_servers.json"
_LONGEST = 300
_MOST = 20
_DEEPEST = 4


@dataclass(frozen=True, slots=True)
class Registration:
    """What a registry says of a domain or a network; empty where it says nothing.

    `name` is the domain, or the network's name; `range` a network's addresses. `holder`: who registered it, as far as
    the registry tells. `registrar`: through whom. Abuse contacts are those named for abuse. `events` are times of
    registration, last change and end, by their names.
    """

    name: str
    handle: str
    range: str
    country: str
    holder: tuple[str, ...]
    registrar: str
    abuse_emails: tuple[str, ...]
    abuse_phones: tuple[str, ...]
    nameservers: tuple[str, ...]
    status: tuple[str, ...]
    events: dict[str, str]


def domain_address(domain: str, endpoint: str | None) -> str | None:
    """Return where a domain is asked about; None when no server is known for it. `endpoint`: the configured one."""
    base = endpoint or _servers()["domains"].get(domain.rpartition(".")[2])
    return f"{base.rstrip('/')}/domain/{domain}" if base else None


def network_address(address: str, endpoint: str | None) -> str | None:
    """Return where an IP address is asked about; None for one that belongs to no public network."""
    parsed = ipaddress.ip_address(address)
    if not parsed.is_global:
        return None
    # The registry of North America leads on to the one that holds the address.
    base = endpoint or _servers()["addresses"]
    return f"{base.rstrip('/')}/ip/{address}"


@lru_cache(maxsize=1)
def _servers() -> dict[str, Any]:
    servers: dict[str, Any] = json.loads(_SERVERS.read_text(encoding="utf-8"))
    return servers


def read_registration(content: bytes) -> Registration:
    """Return what an RDAP answer says. Raises ValueError, in words, for bytes that are none."""
    try:
        told = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError("it is no JSON") from error
    if not isinstance(told, dict) or not any(key in told for key in ("objectClassName", "handle", "ldhName")):
        raise ValueError("it is no answer of RDAP")

    entities = list(_entities(told, 0))
    abuse = [card for roles, card in entities if "abuse" in roles]
    registrars = [name for roles, card in entities if "registrar" in roles for name in _values(card, "fn")]
    holders = [
        name
        for roles, card in entities
        if "registrant" in roles
        for name in (*_values(card, "fn"), *_values(card, "org"), *_addresses(card))
    ]
    begin, end = _text(told.get("startAddress")), _text(told.get("endAddress"))
    return Registration(
        name=_text(told.get("ldhName") or told.get("name")),
        handle=_text(told.get("handle")),
        range=f"{begin} - {end}" if begin and end else "",
        country=_text(told.get("country")),
        holder=_several(holders),
        registrar=_text(next(iter(registrars), "")),
        abuse_emails=_several([mail for card in abuse for mail in _values(card, "email")]),
        abuse_phones=_several([phone.removeprefix("tel:") for card in abuse for phone in _values(card, "tel")]),
        nameservers=_several([str(one.get("ldhName")) for one in _dictionaries(told.get("nameservers"))]),
        status=_several([one for one in _list(told.get("status")) if isinstance(one, str)]),
        events={
            _text(one.get("eventAction"))[:60]: _text(one.get("eventDate"))[:60]
            for one in _dictionaries(told.get("events"))
        },
    )


def _entities(told: dict[str, Any], depth: int) -> Iterator[tuple[list[str], list[Any]]]:
    """Yield roles and jCard (RFC 7095) of every entity, those within others too."""
    for one in _dictionaries(told.get("entities")):
        card = _list(one.get("vcardArray"))
        properties = _list(card[1]) if len(card) > 1 else []
        yield [str(role) for role in _list(one.get("roles"))], properties
        if depth < _DEEPEST:
            yield from _entities(one, depth + 1)


def _values(card: list[Any], name: str) -> list[str]:
    """Return the texts of a property of a jCard: each is an array of name, parameters, type and value."""
    properties = [one for one in card[:100] if isinstance(one, list) and len(one) > 3 and one[0] == name]
    return [str(one[3]) for one in properties if isinstance(one[3], str)]


def _addresses(card: list[Any]) -> list[str]:
    """Return the postal addresses of a jCard, each as one line."""
    lines = []
    for one in card[:100]:
        if isinstance(one, list) and len(one) > 3 and one[0] == "adr":
            label = one[1].get("label") if isinstance(one[1], dict) else None
            parts = [str(part) for part in _list(one[3]) if isinstance(part, str) and part]
            lines.append(str(label) if label else ", ".join(parts))
    return lines


def _dictionaries(value: Any) -> list[dict[str, Any]]:
    return [one for one in _list(value)[:50] if isinstance(one, dict)]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _several(texts: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in (_text(one) for one in texts) if text))[:_MOST]


def _text(value: Any) -> str:
    return cleaned(value[: 4 * _LONGEST])[:_LONGEST] if isinstance(value, str) else ""
