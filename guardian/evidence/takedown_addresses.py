"""Knows where notices about copies go: platforms' own forms, by a table that users extend. To be checked before use."""

from collections.abc import Sequence
from dataclasses import dataclass

from guardian.urls.addresses import host_is_under

AGENT_DIRECTORY = "https://dmca.copyright.gov/osp/"
"""Where the designated agents of service providers are listed (17 U.S.C. 512(c)(2))."""


@dataclass(frozen=True, slots=True)
class TakedownAddress:
    """Where to write to about what a host shows: `host` and its subdomains; `address` is a page or a mail address."""

    host: str
    address: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class TakedownHint:
    """One address to write to, and in words whose it is and how it is known."""

    address: str
    why: str


KNOWN = (
    TakedownAddress("amazon.com", "https://www.amazon.com/report/infringement"),
    TakedownAddress("blogspot.com", "https://support.google.com/legal/troubleshooter/1114905", "Google's form"),
    TakedownAddress("deviantart.com", "https://www.deviantart.com/about/policy/copyright/"),
    TakedownAddress("ebay.com", "vero@ebay.com", "eBay's programme for owners of rights (VeRO)"),
    TakedownAddress("etsy.com", "https://www.etsy.com/legal/ip/report"),
    TakedownAddress("facebook.com", "https://www.facebook.com/help/contact/1758255661104383"),
    TakedownAddress("github.com", "https://github.com/contact/dmca"),
    TakedownAddress("instagram.com", "https://help.instagram.com/contact/372592039493026"),
    TakedownAddress("linkedin.com", "https://www.linkedin.com/help/linkedin/ask/TS-NCINF"),
    TakedownAddress("myshopify.com", "https://help.shopify.com/en/legal/dmca", "Shopify's form"),
    TakedownAddress("pinterest.com", "https://www.pinterest.com/about/copyright/dmca-pin/"),
    TakedownAddress("reddit.com", "copyright@reddit.com"),
    TakedownAddress("tiktok.com", "https://www.tiktok.com/legal/report/Copyright"),
    TakedownAddress("tumblr.com", "https://www.tumblr.com/dmca"),
    TakedownAddress("twitter.com", "https://help.x.com/forms/dmca"),
    TakedownAddress("vk.com", "https://vk.com/dmca"),
    TakedownAddress("wordpress.com", "https://automattic.com/dmca-notice/", "Automattic's form"),
    TakedownAddress("x.com", "https://help.x.com/forms/dmca"),
    TakedownAddress("youtube.com", "https://www.youtube.com/copyright_complaint_form"),
)
"""Written by hand; users extend it with `evidence.takedown_addresses`, which come first."""

# Networks that stand before the one that really hosts a site, by what their names begin with.
_PROXIES = {"CLOUDFLARE": TakedownAddress("", "https://abuse.cloudflare.com/", "it passes notices on to the real host")}


def platform_hints(hosts: Sequence[str], own: Sequence[TakedownAddress]) -> list[TakedownHint]:
    """Return where hosts want to be told, as far as a table knows; the user's own rows first."""
    hints = []
    for host in dict.fromkeys(hosts):
        for rows, source in ((own, "named in your configuration"), (KNOWN, "known to guardian; check it before use")):
            for row in rows:
                if host_is_under(host, row.host):
                    hints.append(TakedownHint(row.address, f"{row.note or f'the form of {row.host}'} ({source})"))
    return hints


def network_hints(network_name: str) -> list[TakedownHint]:
    """Return where networks want to be told that only pass on what others host, by the network's name."""
    rows = (row for begins, row in _PROXIES.items() if network_name.upper().startswith(begins))
    return [TakedownHint(row.address, f"{network_name}: {row.note}") for row in rows]


def directory_hint() -> TakedownHint:
    """Return where the designated agents of service providers are listed (17 U.S.C. 512(c)(2))."""
    return TakedownHint(AGENT_DIRECTORY, "the directory of designated agents of the U.S. Copyright Office")
