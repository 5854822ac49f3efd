"""Finds who is behind a page: addresses, phone numbers, names, and the links that lead to an imprint or contact page.

Runs inside worker processes: the HTML is a stranger's, and parsing it may take long.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from guardian.evidence.imprint_text import holder_in, names_in, postal_addresses_in
from guardian.extract.html import decoded_html
from guardian.model import Response
from guardian.urls.addresses import canonical_url, host_of, registrable_domain, resolve_web_url
from guardian.views.plain_text import cleaned

_MOST = 20
_MOST_LINKS = 5_000
_MOST_TEXT = 400_000
_LONGEST = 300

_MAIL = re.compile(r"[\w.+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,4}\.[A-Za-z]{2,24}")
# How people write addresses so that programs do not find them: name (at) site (dot) example.
_AT = re.compile(r"\s?[\[({]\s?(?:at|ät|a|@)\s?[\])}]\s?", re.IGNORECASE)
_DOT = re.compile(r"\s?[\[({]\s?(?:dot|punkt|punto|point)\s?[\])}]\s?", re.IGNORECASE)
_NO_MAIL = re.compile(r"\.(?:png|jpe?g|gif|webp|svg|css|js|avif)$|@(?:example|sentry|2x)", re.IGNORECASE)
_TAX_NUMBER = re.compile(
    r"\b(?:VAT|USt|UID|TVA|IVA|P\.?\s?IVA|NIF|BTW|CVR|SIREN|HRB)[^\n\d]{0,30}?([A-Z]{0,3}[ -]?\d[\d .-]{5,14}\d)",
    re.IGNORECASE,
)
# Numbers of the German commercial register have one to six digits, too few for the pattern above.
_REGISTER_NUMBER = re.compile(r"\bHR[AB]\s?(?:Nr\.?\s?)?\d{1,6}(?:\s[A-Z]{1,2})?\b")
# What stands behind a word for telephone, up to the end of its line.
_PHONE = re.compile(
    r"\b(?:t[eé]l(?:[eé]fon[eo]?|[eé]phone)?|phone|fon|mobile?)\b[^\d+]{0,10}?(\+?\(?\d[\d ()/.\-–]{4,20}\d)",
    re.IGNORECASE,
)
_COPYRIGHT = re.compile(
    r"(?:©|\(c\)|copyright)\s{0,3}(?:\d{4}(?:\s?[-–]\s?\d{2,4})?)?[\s,]{0,3}([^|•·\n.]{3,80})", re.IGNORECASE
)

# From what names whoever is behind a site for certain to what only may.
_CONTACT_WORDS = (
    ("impressum", "imprint", "aviso-legal", "aviso legal", "mentions-legales", "mentions légales", "note-legali"),
    ("dmca", "copyright", "intellectual-property", "takedown", "urheberrecht"),
    ("contact", "kontakt", "contacto", "contatti", "contato", "yhteystiedot"),
    ("legal", "rechtliches", "terms", "agb", "nutzungsbedingungen", "about", "ueber-uns", "über uns"),
)
_IMPRINT = re.compile(
    r"(?:impressum|imprint|legal[ -]notice|aviso[ -]legal|mentions[ -]l[ée]gales|note[ -]legali)"
    r"(?:\.\w{2,5})?\s*(?:$|[-–|·:]\s)",
    re.IGNORECASE,
)
"""A heading, or the end of an address, of the page by which a site says whose it is."""

GUESSES = ("/impressum", "/imprint", "/contact", "/legal")
"""Where such pages are when no link says where."""


@dataclass(frozen=True, slots=True)
class Imprint:
    """What the page says by which a site tells whose it is. `holder`: None where it leaves a doubt."""

    holder: str | None
    postal: tuple[str, ...]
    emails: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PageContacts:
    """What one page says of who is behind it; each list holds at most 20, cleaned.

    `links`: addresses of pages of the same site that may say more, the most telling first. `imprint`: None for any page
    but an imprint: elsewhere names may be those of customers, and of who took the pictures.
    """

    names: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    postal: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    imprint: Imprint | None = None


def contacts_on(response: Response) -> PageContacts:
    """Return what a page says of who is behind it."""
    tree = LexborHTMLParser(decoded_html(response))
    links = _links(tree, response.final_url)
    structured = list(_structured(tree))
    addresses = [_text(node) for node in tree.css("address")[:_MOST]]
    mails, phones = _addresses_in_links(tree)

    for node in tree.css("script, style, noscript, template"):
        node.decompose()
    text = _text(tree.body)[:_MOST_TEXT] if tree.body is not None else ""
    plain = _DOT.sub(".", _AT.sub("@", text))
    mails += [mail for mail in _MAIL.findall(plain) if not _NO_MAIL.search(mail)]
    lines = tree.body.text(separator="\n", strip=True)[:_MOST_TEXT] if tree.body is not None else ""
    phones += _PHONE.findall(lines)
    # Elsewhere such lines may speak of customers, or of where something is sent.
    own = lines.splitlines() if _is_of_contacts(tree, response.final_url) else []
    numbers = [match[0] for pattern in (_TAX_NUMBER, _REGISTER_NUMBER) for match in pattern.finditer(text)]

    emails = _several([mail.lower() for mail in (*mails, *_of(structured, "email"))])
    imprint = None
    if _is_imprint(tree, response.final_url):
        holder = holder_in(lines.splitlines())
        named = None if holder is None else cleaned(holder)[:_LONGEST]
        imprint = Imprint(named, _several(list(postal_addresses_in(lines.splitlines()))), emails)
    return PageContacts(
        names=_several([*_of(structured, "name"), *names_in(own), *_COPYRIGHT.findall(text)]),
        emails=emails,
        phones=_several([*phones, *_of(structured, "telephone")]),
        postal=_several([*addresses, *_of(structured, "address"), *postal_addresses_in(own)]),
        numbers=_several(numbers),
        links=links,
        imprint=imprint,
    )


def _is_imprint(tree: LexborHTMLParser, url: str) -> bool:
    """Return whether a page is the one by which its site says whose it is, by its address or a heading."""
    end = unquote(urlsplit(url).path).rstrip("/").rpartition("/")[2][:200]
    return any(_IMPRINT.match(text) for text in (end, *(_text(node) for node in tree.css("title, h1, h2")[:_MOST])))


def _is_of_contacts(tree: LexborHTMLParser, url: str) -> bool:
    """Return whether address or headings of a page say that it names who is behind its site."""
    headings = " ".join(_text(node)[:200] for node in tree.css("title, h1, h2")[:_MOST])
    words = f"{headings} {unquote(urlsplit(url).path)[:200]}".lower()
    return any(word in words for named in _CONTACT_WORDS for word in named)


def _links(tree: LexborHTMLParser, base: str) -> tuple[str, ...]:
    """Return the links of the same site that speak of contacts, the most telling first."""
    site = registrable_domain(host_of(base))
    found: dict[str, int] = {}
    for node in tree.css("a[href]")[:_MOST_LINKS]:
        url = resolve_web_url(base, node.attributes.get("href") or "")
        if url is None or registrable_domain(host_of(url)) != site:
            continue
        words = f"{_text(node)[:100]} {unquote(urlsplit(url).path)[:200]}".lower()
        rank = next((rank for rank, named in enumerate(_CONTACT_WORDS) if any(word in words for word in named)), None)
        address = canonical_url(url)
        if rank is not None and rank < found.get(address, len(_CONTACT_WORDS)):
            found[address] = rank
    return tuple(sorted(found, key=lambda url: found[url]))[:_MOST]


def _addresses_in_links(tree: LexborHTMLParser) -> tuple[list[str], list[str]]:
    """Return mail addresses and phone numbers that links hold."""
    mails, phones = [], []
    for node in tree.css("a[href^='mailto:'], a[href^='MAILTO:'], a[href^='tel:']")[:_MOST_LINKS]:
        scheme, _, rest = (node.attributes.get("href") or "").partition(":")
        value = unquote(rest.partition("?")[0]).strip()
        if scheme.lower() == "tel":
            phones.append(value)
        elif _MAIL.fullmatch(value):
            mails.append(value)
    return mails, phones


def _structured(tree: LexborHTMLParser) -> Iterator[dict[str, Any]]:
    """Yield the objects of JSON-LD (schema.org) that name somebody."""
    for node in tree.css("script[type='application/ld+json']")[:_MOST]:
        try:
            pending: list[Any] = [json.loads(node.text()[:_MOST_TEXT])]
        except (ValueError, RecursionError):
            continue
        seen = 0
        while pending and seen < 1_000:
            seen += 1
            one = pending.pop()
            if isinstance(one, list):
                pending.extend(one[:100])
            elif isinstance(one, dict):
                pending.extend(value for value in list(one.values())[:100] if isinstance(value, dict | list))
                kind = str(one.get("@type"))
                if any(word in kind for word in ("Organization", "Person", "LocalBusiness", "Store", "Corporation")):
                    yield one


def _of(structured: list[dict[str, Any]], key: str) -> list[str]:
    """Return what objects say under a key; postal addresses as one line."""
    texts = []
    for one in structured:
        value = one.get(key)
        if isinstance(value, dict):
            parts = ("streetAddress", "postalCode", "addressLocality", "addressRegion", "addressCountry")
            value = ", ".join(str(value[part]) for part in parts if isinstance(value.get(part), str))
        if isinstance(value, str):
            texts.append(value.removeprefix("mailto:"))
    return texts


def _several(texts: list[str]) -> tuple[str, ...]:
    """Return texts cleaned, each once, at most 20."""
    found = dict.fromkeys(cleaned(text[: 2 * _LONGEST])[:_LONGEST].strip(" ,;:") for text in texts)
    return tuple(text for text in found if text)[:_MOST]


def _text(node: LexborNode) -> str:
    return node.text(separator=" ", strip=True)
