"""Says how urgent a case is, as points with the reason for each: the order of the queue. Pure functions.

A case is worth more the longer it waits, all cases by the same amount a day. So their order does not change by waiting,
and what the database stores (`rank`) sorts them at any time.
"""

import math
import re
from datetime import UTC, datetime, timedelta

from guardian.model import Case, CommercialSign, Context, Priority, PriorityPart, Severity
from guardian.views.comparisons import share_text
from guardian.views.counting import counted

_SEVERITY_POINTS = {None: 0, Severity.LOW: 10, Severity.MEDIUM: 20, Severity.HIGH: 30, Severity.CRITICAL: 40}
_SHARE_POINTS = 20
_SIGN_POINTS = {CommercialSign.SHOP: 8, CommercialSign.PRICE: 4, CommercialSign.ADVERTISING: 4}
_POINTS_A_DOUBLING = 3
_MOST_DOUBLINGS = 4

_A_POINT_OF_AGE = timedelta(weeks=1)
_ZERO = datetime(2020, 1, 1, tzinfo=UTC)
"""Where ranks count time from. Stored ranks depend on it, so it never changes."""

_SIGNS = {
    CommercialSign.SHOP: re.compile(
        r"add to (?:cart|basket|bag)|shopping (?:cart|basket)|buy now|checkout|in stock|free shipping"
        r"|warenkorb|jetzt kaufen|zur kasse|lieferbar|versandkosten|au panier|acheter|livraison"
        r"|al carrito|a la cesta|comprar|al carrello|acquista|do koszyka|in winkelwagen|カートに入れる|加入购物车",
        re.IGNORECASE,
    ),
    CommercialSign.PRICE: re.compile(
        r"(?:[€$£¥₹]|\b(?:EUR|USD|GBP|CHF|JPY|CAD|AUD))\s?\d"
        r"|\d(?:[.,]\d{2})?\s?(?:[€£¥₹]|(?:EUR|USD|GBP|CHF|JPY|CAD|AUD|PLN|zł|SEK|NOK|DKK|kr)\b)",
        re.IGNORECASE,
    ),
    CommercialSign.ADVERTISING: re.compile(
        r"\b(?:advertisement|advertorial|sponsored|affiliate|anzeige|werbung|gesponsert|publicité|sponsorisé"
        r"|publicidad|patrocinado|pubblicità|reklama|advertentie)\b",
        re.IGNORECASE,
    ),
}
"""What the words around a picture say of the trade of a page, in the languages that are most common."""


def priority_of(case: Case, works: int, now: datetime) -> Priority:
    """Return how urgent a case is now. `works`: how many works its operator uses, this one included."""
    severity = case.severity.value if case.severity else "none"
    waited = max(now - case.opened_at, timedelta(0))
    parts = (
        PriorityPart("severity", _SEVERITY_POINTS[case.severity], f"severity {severity}"),
        _share_part(case.share_used),
        PriorityPart("pages", _points_of_many(case.finding_count), counted(case.finding_count, "place")),
        PriorityPart("works", _points_of_many(works), f"{counted(works, 'work')} of yours used by {case.operator}"),
        _commercial_part(case.commercial),
        PriorityPart("age", round(waited / _A_POINT_OF_AGE, 1), f"opened {counted(waited.days, 'day')} ago"),
    )
    return Priority(parts)


def rank_of(case: Case, works: int) -> float:
    """Return what cases are sorted by, the largest first: the points without those of age, less the time of opening."""
    points = sum(part.points for part in priority_of(case, works, case.opened_at).parts)
    return points - (case.opened_at - _ZERO) / _A_POINT_OF_AGE


def points_of_rank(rank: float, now: datetime) -> float:
    """Return the points of a case of this rank now, to one decimal place."""
    return round(rank + (now - _ZERO) / _A_POINT_OF_AGE, 1)


def is_step(works: int) -> bool:
    """Return whether the points of an operator's works change when it comes to use so many."""
    return works > 1 and works & (works - 1) == 0 and works <= 2**_MOST_DOUBLINGS


def commercial_signs(context: Context) -> tuple[CommercialSign, ...]:
    """Return what the words around a picture say of the trade of its page, in the order of the enum."""
    words = " \n ".join(
        text
        for text in (
            context.page_title,
            context.nearby_text,
            context.caption,
            context.alt,
            context.title,
            context.claims,
        )
        if text
    )
    return tuple(sign for sign, pattern in _SIGNS.items() if pattern.search(words))


def _share_part(share: float | None) -> PriorityPart:
    """Return the points of the share of the work that is shown; half of them if it was not measured."""
    if share is None:
        return PriorityPart("share", _SHARE_POINTS / 2, "how much of the picture is used was not measured")
    return PriorityPart("share", round(_SHARE_POINTS * share, 1), f"{share_text(share)} of the picture used")


def _points_of_many(number: int) -> float:
    """Return points for a number of things: so many for each doubling, so that 1,000 do not drown all else."""
    return _POINTS_A_DOUBLING * min(_MOST_DOUBLINGS, int(math.log2(max(1, number))))


def _commercial_part(signs: tuple[CommercialSign, ...]) -> PriorityPart:
    words = ", ".join(sign.value for sign in signs)
    return PriorityPart(
        "commercial",
        sum(_SIGN_POINTS[sign] for sign in signs),
        f"signs of trade on the page: {words}" if signs else "no signs of trade on the page",
    )
