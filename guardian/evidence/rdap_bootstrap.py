"""Finds the registry that answers for a domain or an IP address, by the bootstrap files of IANA (RFC 9224).

guardian comes with those of the folder rdap_bootstrap/; a folder of the user's may hold newer ones.
"""

import ipaddress
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

SHIPPED = Path(__file__).parent / "rdap_bootstrap"
_DOMAINS, _IPV4, _IPV6 = "dns.json", "ipv4.json", "ipv6.json"
_LARGEST = 8 * 1024**2

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Registry:
    """A server that answers RDAP questions, and when the list that names it was published ("" if it does not say)."""

    base_url: str
    published: str


@dataclass(frozen=True, slots=True)
class _Mapping:
    entries: tuple[str, ...]
    base_url: str


@dataclass(frozen=True, slots=True)
class _BootstrapFile:
    published: str
    services: tuple[_Mapping, ...]


def registry_of_domain(domain: str, folder: Path | None) -> Registry | None:
    """Return the registry of a domain: that of the longest suffix the list has (RFC 9224, section 4), or None.

    `folder`: the user's bootstrap files, which are taken in place of guardian's own where they are there. Raises
    ValueError, in words, for a file that cannot be read.
    """
    file, names = _domains(_path(folder, _DOMAINS))
    labels = domain.lower().split(".")
    for start in range(len(labels)):
        base_url = names.get(".".join(labels[start:]))
        if base_url is not None:
            return Registry(base_url, file.published)
    return None


def registry_of_address(address: str, folder: Path | None) -> Registry | None:
    """Return the registry of an IP address: that of the smallest network which holds it (RFC 9224, section 5), or None.

    Raises ValueError, in words, for a file that cannot be read.
    """
    parsed = ipaddress.ip_address(address)
    file, networks = _networks(_path(folder, _IPV4 if parsed.version == 4 else _IPV6))
    holding = [(network.prefixlen, base_url) for network, base_url in networks if parsed in network]
    return Registry(max(holding)[1], file.published) if holding else None


def _path(folder: Path | None, name: str) -> Path:
    own = folder / name if folder is not None else None
    return own if own is not None and own.exists() else SHIPPED / name


@lru_cache(maxsize=8)
def _domains(path: Path) -> tuple[_BootstrapFile, dict[str, str]]:
    file = _read(path)
    return file, {entry.lower(): service.base_url for service in file.services for entry in service.entries}


@lru_cache(maxsize=8)
def _networks(path: Path) -> tuple[_BootstrapFile, tuple[tuple[_Network, str], ...]]:
    file = _read(path)
    try:
        networks = [
            (ipaddress.ip_network(entry), service.base_url) for service in file.services for entry in service.entries
        ]
    except ValueError as error:
        raise ValueError(f"{path} is no list of networks: {error}") from error
    return file, tuple(networks)


def _read(path: Path) -> _BootstrapFile:
    try:
        with path.open("rb") as opened:
            told = json.loads(opened.read(_LARGEST))
        services = tuple(_Mapping(tuple(map(str, one[0])), _best(one[1])) for one in told["services"] if one[1])
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
        raise ValueError(f"{path} is no bootstrap file of RDAP (RFC 9224)") from error
    return _BootstrapFile(str(told.get("publication", "")), services)


def _best(urls: list[Any]) -> str:
    """Return the address of a service that is to be used: one by HTTPS, if there is any (RFC 9224, section 3)."""
    texts = [str(url) for url in urls]
    return next((url for url in texts if url.startswith("https://")), texts[0])
