"""Finds names and postal addresses in the plain lines of an imprint or contact page, as most sites write them."""

import re
from collections.abc import Iterator, Sequence

_LONGEST = 120
"""Characters of a line that may be a name or a part of an address: what is longer is a sentence."""

_LEGAL_FORM = re.compile(
    r"(?:^|\s)(?:g?GmbH|mbH|KGaA|OHG|GbR|e\.\s?K\.|e\.\s?V\.|Ltd\.?|Limited|LLC|L\.L\.C\.|LLP|PLC|Inc\.?|Corp\.?"
    r"|SARL|S\.A\.R\.L\.|SASU?|EURL|S\.A\.|S\.L\.(?:U\.)?|SLU|S\.r\.l\.s?|SRL|S\.p\.A\.|SpA|B\.V\.|N\.V\.|BVBA"
    r"|ApS|A/S|Oyj|Sp\.\s?z\s?o\.\s?o\.|s\.r\.o\.|a\.s\.|Kft\.?|Lda\.?)(?=$|[\s,;&.(])"
    # In a line of capitals these may be ordinary words, but seldom at its end.
    r"|\s(?:AG|KG|UG(?: \(haftungsbeschränkt\))?|SE|AB|AS|SL|BV|NV|Oy)$"
)
_OTHER_COMPANY = re.compile(r"\bHR[AB]\b|gericht|IBAN|\bBIC\b|\bBank\b", re.IGNORECASE)
"""Lines that name a court or a bank."""

_WORKS_FOR_SITE = re.compile(
    r"^[^:]*(?:host|design\b|webmaster|umsetzung|realisierung|gestaltung|programmierung|agentur|agency|agence|agencia"
    r"|fotos?\b|photo|bild(?:er|nachweis|quelle|rechte)|images?\b|credit|crédit|hébergeur|hébergement|alojamiento"
    r"|datenschutz|privacy|versicher|insur)"
    r"[^:]*:",
    re.IGNORECASE,
)
"""Lines that name who hosts, designs or insures a site, or took its pictures, but not its owner."""

_RESPONSIBLE = (
    r"(?:Angaben gemäß §\s?5 (?:TMG|DDG)|Diensteanbieter(?:in)?|Inhaber(?:in)?|Betreiber(?:in)?"
    r"|Geschäftsführer(?:in)?|Geschäftsführung|vertreten durch|verantwortlich"
    r"|owner|proprietor|operated by|managing directors?|director|directeur(?: de la publication)?|propriétaire|gérante?"
    r"|titular|propietari[oa]|administrador(?:a)?|responsable)"
)
_PERSON = re.compile(rf"^{_RESPONSIBLE}\b[^:\n]{{0,60}}:\s*(?P<name>\S.*)$", re.IGNORECASE)
_LABEL_ALONE = re.compile(
    rf"^(?:(?P<label>{_RESPONSIBLE}\b[^:]{{0,60}}?|[^\d:]{{1,60}}?)\s?:|(?P<heading>{_RESPONSIBLE}))$",
    re.IGNORECASE,
)
"""A line that only says what the next one is: with a colon, or a heading that names who is responsible."""
_OWNER = re.compile(
    r"^(?:Angaben gemäß §\s?5 (?:TMG|DDG)|Diensteanbieter(?:in)?|Inhaber(?:in)?|(?:Website-?)?Betreiber(?:in)?"
    r"|owner|proprietor|operated by|propriétaire|titular|propietari[oa])"
    r"(?:\s(?:of|der|des|dieser|this|the|du|de|del|la|le|site|sitio|web|website|webseite|seite|homepage|shop|company))*"
    r"\s?:\s*(?P<name>\S.*)$",
    re.IGNORECASE,
)
"""A line that names the owner of the site, and not somebody who owns something else or represents a company."""

_OWN_LABEL = re.compile(
    r"^(?:Firma|Firmenname|Unternehmen|Name|Anbieter|Herausgeber|Anschrift|Adresse|Postanschrift|company(?: name)?"
    r"|address|registered office|publisher|éditeur(?: du site)?|raison sociale|siège social|razón social"
    r"|denominación social|ragione sociale|impressum)\s?:\s*",
    re.IGNORECASE,
)
_COPYRIGHT_BEFORE = re.compile(
    r"^(?:(?:©|\(c\)|copyright)\s*)+(?:(?:19|20)\d\d(?:\s?[-–]\s?\d{2,4})?[\s,]*)?", re.IGNORECASE
)
_RIGHTS_BEHIND = re.compile(
    r"[\s.,|–-]*(?:©|\b(?:19|20)\d\d|all rights reserved|alle rechte vorbehalten|tous droits réservés"
    r"|todos los derechos reservados)\W*$",
    re.IGNORECASE,
)
_NO_PLAIN_NAME = re.compile(r":|\b(?:by|von|vom|der|des|par|por|with|mit|bei|at|chez|via|of|for|für|pour|para)\b")
"""Words in a line with a company's name by which it is more than the name: a sentence, or a label before it."""

_FOR_COMPLAINTS = re.compile(r"schlicht|aufsicht|kammer|ombuds|médiat|mediat", re.IGNORECASE)
"""Lines that name an authority or arbitration board for complaints about the owner."""

_LINES_OF_ADDRESS = 3
"""A name, a street and a town."""

_PARTICLES = frozenset(
    ["von", "van", "der", "den", "de", "del", "du", "zu", "zum", "zur", "di", "da", "la", "le", "y", "und", "and", "&"]
)
"""Words without a capital in the names of people."""

_BETWEEN = re.compile(r"\s[|•·]\s")
_UPPER = "[A-ZÀ-ÖØ-ÞĀĄĆČĎĘĚŁŃŇŘŚŠŤŽŹŻ]"
# Postal code and town, with what stands before the code in some countries; British codes stand at the end.
# The country may follow.
_TOWN = re.compile(
    rf"(?:(?:^|[,–]\s?)(?:(?:[A-Z]{{1,3}}[-–]\s?)?\d{{5}}|(?:A|AT|CH|B|BE|L|DK)[-–]\s?\d{{4}}|\d{{4}}\s?[A-Z]{{2}})"
    rf"\s+{_UPPER}[\w.'()/-]*(?:\s[\w.'()/-]+){{0,4}}"
    rf"|{_UPPER}[\w.' -]{{1,40}},\s+[A-Z]{{2}}\s+\d{{5}}(?:-\d{{4}})?"
    rf"|\b[A-Z]{{1,2}}\d[A-Z\d]?\s\d[A-Z]{{2}})(?:,\s?{_UPPER}[^\d,:]{{1,30}})?$"
)
_STREET = re.compile(
    r"\d|(?:straße|strasse|str\.|weg|platz|allee|street|road|avenue|lane|rue|calle|via)\b", re.IGNORECASE
)
_LABEL = re.compile(r"^[^\d:]{1,40}:\s*")


def names_in(lines: Sequence[str]) -> Iterator[str]:
    """Yield the names of companies, by their legal form, and of people whom a line names as responsible."""
    for line in _labelled(lines):
        person = _PERSON.match(line)
        if person is not None:
            # Without a capital it is the rest of a sentence.
            if person["name"] != person["name"].lower():
                yield person["name"]
        elif _LEGAL_FORM.search(line) and not _OTHER_COMPANY.search(line) and not _WORKS_FOR_SITE.match(line):
            named = _LABEL.sub("", line)
            first = named.partition(",")[0]
            yield first if _LEGAL_FORM.search(first) else named


def postal_addresses_in(lines: Sequence[str]) -> Iterator[str]:
    """Yield postal addresses: a line with postal code and town, with the street that stands before it."""
    before = ""
    for line in _labelled(lines):
        town = _LABEL.sub("", line)
        if _TOWN.search(town) and not _OTHER_COMPANY.search(line) and not _WORKS_FOR_SITE.match(line):
            street = _LABEL.sub("", before)
            has_street = _STREET.search(street) and not _TOWN.search(street)
            yield f"{street}, {town}" if has_street else town
        before = line


def holder_in(lines: Sequence[str]) -> str | None:
    """Return whose a site is by the lines of its imprint; None where they leave a doubt.

    That is whom a line names as its owner, or the company above the only postal address, if no other company or owner
    is named. Who acts for a company is not whose the site is.
    """
    own = list(_labelled(lines))
    owners, companies, is_headed = [], [], False
    for number, line in enumerate(own):
        owner = _OWNER.match(line)
        if owner is not None:
            owners.append(_bare(owner["name"]))
        elif _is_company(line) and not _PERSON.match(line):
            companies.append(_bare(line))
            address = own[number : number + _LINES_OF_ADDRESS]
            is_headed = is_headed or any(_TOWN.search(_LABEL.sub("", one)) for one in address)

    named = {" ".join(re.findall(r"\w+", name.casefold())): name for name in (*companies, *owners)}
    if len(named) != 1 or (not owners and (not is_headed or len(set(postal_addresses_in(lines))) != 1)):
        return None
    (name,) = named.values()
    if owners:
        return name if ":" not in name and (_is_company(name) or _may_be_person(name)) else None
    return name if name[:1].isupper() and not _NO_PLAIN_NAME.search(name) else None


def _may_be_person(name: str) -> bool:
    """Return whether a line is no sentence, address or number: two to eight words that begin with capitals."""
    words = name.replace("-", " ").split()
    parts = [re.sub(r"[.,'’]", "", word) for word in words if word not in _PARTICLES]
    return 2 <= len(words) <= 8 and all(part.isalpha() and part[0].isupper() for part in parts)


def _is_company(line: str) -> bool:
    others = _OTHER_COMPANY.search(line) or _WORKS_FOR_SITE.match(line) or _FOR_COMPLAINTS.search(line)
    return not others and _LEGAL_FORM.search(line) is not None


def _bare(line: str) -> str:
    """Return the name that a line holds without its label, the address behind it, and marks of copyright."""
    parts = _BETWEEN.split(_COPYRIGHT_BEFORE.sub("", _OWN_LABEL.sub("", line)))
    name = next(filter(_is_company, parts), parts[0])
    first, _, rest = name.partition(",")
    if _LEGAL_FORM.search(first) or any(map(str.isdigit, rest)):
        name = first
    before = ""
    while before != name:
        before, name = name, _RIGHTS_BEHIND.sub("", name).strip()
    return name


def _labelled(lines: Sequence[str]) -> Iterator[str]:
    """Yield the short lines, a label that stands on a line of its own before what it is the label of."""
    label = ""
    for line in _short(lines):
        alone = _LABEL_ALONE.match(line)
        if alone is not None:
            label = alone["label"] or alone["heading"]
            continue
        # What has a label of its own, or is a mail address, is not what the label before it announced.
        yield f"{label}: {line}" if label and ":" not in line and "@" not in line else line
        label = ""


def _short(lines: Sequence[str]) -> Iterator[str]:
    return (line for line in (" ".join(line.split()) for line in lines) if 0 < len(line) <= _LONGEST)
