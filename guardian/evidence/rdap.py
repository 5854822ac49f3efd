"""Reads RDAP (RFC 9083): who registered a domain or holds a network, and whom to write to about abuse.

Where to ask is either configured or follows from the lists of IANA (rdap_bootstrap.py); what they lack is not asked.
"""

import ipaddress
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from guardian.evidence.json_values import as_list, objects_in, texts_in
from guardian.evidence.rdap_bootstrap import registry_of_address, registry_of_domain
from guardian.evidence.settings import RdapSettings
from guardian.views.plain_text import cleaned

_LONGEST = 300
_MOST = 20
_MOST_OBJECTS = 50
_DEEPEST = 4


@dataclass(frozen=True, slots=True)
class Registration:
    """What a registry says of a domain or a network; empty where it says nothing."""

    name: str
    """The domain, or the network's name."""

    handle: str

    range: str
    """A network's addresses."""

    country: str

    holder: tuple[str, ...]
    """Who registered it, as far as the registry tells."""

    registrar: str
    """Through whom it was registered."""

    abuse_emails: tuple[str, ...]
    """Those named for abuse, as `abuse_phones`."""

    abuse_phones: tuple[str, ...]

    nameservers: tuple[str, ...]

    status: tuple[str, ...]

    events: dict[str, str]
    """The times of registration, last change and end, by their names."""


def domain_address(domain: str, settings: RdapSettings) -> str | None:
    """Return where a domain is asked about; None when no registry is known for it. Raises ValueError for a bad list."""
    if settings.endpoint is not None:
        return _joined(settings.endpoint, "domain", domain)
    registry = registry_of_domain(domain, settings.bootstrap)
    return _joined(registry.base_url, "domain", domain) if registry is not None else None


def network_address(address: str, settings: RdapSettings) -> str | None:
    """Return where an IP address is asked about; None for one of no public network, or of which no registry is known.

    Raises ValueError, in words, for a list that cannot be read.
    """
    if not ipaddress.ip_address(address).is_global:
        return None
    if settings.endpoint is not None:
        return _joined(settings.endpoint, "ip", address)
    registry = registry_of_address(address, settings.bootstrap)
    return _joined(registry.base_url, "ip", address) if registry is not None else None


def _joined(base_url: str, kind: str, name: str) -> str:
    return f"{base_url.rstrip('/')}/{kind}/{name}"


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
        nameservers=_several([str(one.get("ldhName")) for one in objects_in(told.get("nameservers"))[:_MOST_OBJECTS]]),
        status=_several(texts_in(told.get("status"))),
        events={
            _text(one.get("eventAction"))[:60]: _text(one.get("eventDate"))[:60]
            for one in objects_in(told.get("events"))[:_MOST_OBJECTS]
        },
    )


def _entities(told: dict[str, Any], depth: int) -> Iterator[tuple[list[str], list[Any]]]:
    """Yield roles and jCard (RFC 7095) of every entity, those within others too."""
    for one in objects_in(told.get("entities"))[:_MOST_OBJECTS]:
        card = as_list(one.get("vcardArray"))
        properties = as_list(card[1]) if len(card) > 1 else []
        yield [str(role) for role in as_list(one.get("roles"))], properties
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
            parts = [part for part in texts_in(one[3]) if part]
            lines.append(str(label) if label else ", ".join(parts))
    return lines


def _several(texts: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in (_text(one) for one in texts) if text))[:_MOST]


def _text(value: Any) -> str:
    return cleaned(value[: 4 * _LONGEST])[:_LONGEST] if isinstance(value, str) else ""
