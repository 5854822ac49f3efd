"""What templates of notices are given: plain values, each cleaned of what a page's author could do harm with."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date

from guardian.model import Asset, Finding
from guardian.model.notices import NoticeItem, NoticeLanguage
from guardian.notices.settings import OwnerSettings
from guardian.views.plain_text import cleaned

Day = date

_LONGEST = 1_000
_LONGEST_URL = 2_048


@dataclass(frozen=True, slots=True)
class OwnerFacts:
    """The owner of the works. What is not configured reads as `[owner.phone is missing]`; `unset` has those names."""

    name: str
    address: str
    email: str
    phone: str
    signs_as: str
    website: str
    is_agent: bool
    unset: frozenset[str]


@dataclass(frozen=True, slots=True)
class PlaceFacts:
    """One address: the page, and the picture's file ("" where there is none). `share`: per cent of the work shown."""

    number: int
    page: str
    image: str
    first_seen: date
    last_seen: date
    share: int | None


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """One work of the schedule; "" is what is not known of it."""

    number: int
    title: str
    creator: str
    copyright_notice: str
    registration: str
    published_at: str
    places: tuple[PlaceFacts, ...]


@dataclass(frozen=True, slots=True)
class NoticeFacts:
    """Everything that a template may use. `fee` is "" where none is named."""

    owner: OwnerFacts
    items: tuple[ItemFacts, ...]
    operator: str
    recipient: str
    reference: str
    date: Day
    answer_by: Day
    fee: str
    remark: str

    def by_name(self) -> dict[str, object]:
        """Return the values by the names that templates know them by."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def owner_facts(owner: OwnerSettings) -> OwnerFacts:
    """Return the owner as templates see it."""
    names = ("name", "address", "email", "phone", "signs_as", "website")
    stated = {name: getattr(owner, name) or "" for name in names}
    unset = frozenset(name for name, text in stated.items() if not text.strip())
    shown = {name: blank_of(name) if name in unset else _line(text) for name, text in stated.items()}
    if "address" not in unset:
        parts = re.split(r"[\r\n]+|,", stated["address"])
        shown["address"] = "\n".join(line for part in parts if (line := _line(part)))
    # A notice needs no web site, so none is shown as missing.
    shown["website"] = "" if "website" in unset else shown["website"]
    return OwnerFacts(**shown, is_agent=owner.capacity == "agent", unset=unset)


def blank_of(name: str) -> str:
    """Return what templates are given in place of something of the owner that is not configured."""
    return f"[owner.{name} is missing]"


def item_facts(number: int, item: NoticeItem, asset: Asset | None, findings: Sequence[Finding]) -> ItemFacts:
    """Return one work of the schedule as templates see it."""
    shares = {finding.id: finding.comparison.share_shown for finding in findings}
    places = []
    for place_number, place in enumerate(item.places, start=1):
        share = shares.get(place.finding_id)
        places.append(
            PlaceFacts(
                number=place_number,
                page=_url(place.page_url),
                image=_url(place.image_url),
                first_seen=place.first_seen_at.date(),
                last_seen=place.last_seen_at.date(),
                share=round(100 * share) if share is not None else None,
            )
        )
    rights = asset.rights if asset is not None else None
    return ItemFacts(
        number=number,
        title=_line(item.title),
        creator=_line(rights.creator if rights else None),
        copyright_notice=_line(rights.copyright_notice if rights else None),
        registration=_line(rights.registration if rights else None),
        published_at=_url(rights.web_statement if rights else None),
        places=tuple(places),
    )


_MONTHS = {
    NoticeLanguage.ENGLISH: "January February March April May June July August September October November December",
    NoticeLanguage.GERMAN: "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    NoticeLanguage.FRENCH: "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    NoticeLanguage.SPANISH: "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
}
_DAY = {
    NoticeLanguage.ENGLISH: "{day} {month} {year}",
    NoticeLanguage.GERMAN: "{day}. {month} {year}",
    NoticeLanguage.FRENCH: "{day} {month} {year}",
    NoticeLanguage.SPANISH: "{day} de {month} de {year}",
}


def day_text(on: date, language: NoticeLanguage) -> str:
    """Return a day as letters in this language write it: 1 December 2026, 1. Dezember 2026, 1er décembre 2026."""
    month = _MONTHS[language].split()[on.month - 1]
    day = "1er" if language is NoticeLanguage.FRENCH and on.day == 1 else str(on.day)
    return _DAY[language].format(day=day, month=month, year=on.year)


def _line(text: str | None) -> str:
    return cleaned(text or "")[:_LONGEST]


def _url(url: str | None) -> str:
    return cleaned(url or "")[:_LONGEST_URL]
