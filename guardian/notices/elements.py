"""The elements that each kind of notice must have, with the law that asks for them. Pure functions.

A template says where an element stands: `{% call element("good_faith") %}...{% endcall %}`. An element is missing when
its template has no words for it, or when something that it needs is not known.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from guardian.model.notices import NoticeKind, NoticeLanguage
from guardian.notices.facts import NoticeFacts, blank_of

GIVE_TITLES = "give its asset one and draft again"
"""How the words end that miss the title of a work."""

NAME_FEE = "say what the licence costs, such as 250 EUR, and draft again"
"""How the words end that miss the fee of a licence."""

Needs = Callable[[NoticeFacts], str | None]
"""Returns what is missing in the facts and how it is given; None when nothing is."""


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a notice: its key in templates, the law that asks for it, and what it is in plain words."""

    key: str
    law: str
    words: str
    needs: Needs | None = None


def _owner(*names: str) -> Needs:
    def missing(facts: NoticeFacts) -> str | None:
        unset = [f"owner.{name}" for name in names if name in facts.owner.unset]
        return f"set {' and '.join(unset)} in the configuration" if unset else None

    return missing


def _titles(facts: NoticeFacts) -> str | None:
    nameless = [str(item.number) for item in facts.items if not item.title]
    return f"item {', '.join(nameless)} has no title: {GIVE_TITLES}" if nameless else None


def _places(facts: NoticeFacts) -> str | None:
    return None if any(item.places for item in facts.items) else "no address is known at which the work is shown"


def _fee(facts: NoticeFacts) -> str | None:
    return None if facts.fee else NAME_FEE


DMCA = (
    Element(
        "signature",
        "17 U.S.C. 512(c)(3)(A)(i)",
        "a signature of a person authorised to act for the owner of the right",
        _owner("name", "signs_as"),
    ),
    Element("work", "17 U.S.C. 512(c)(3)(A)(ii)", "identification of the copyrighted work", _titles),
    Element(
        "material", "17 U.S.C. 512(c)(3)(A)(iii)", "identification of the material, and where it can be found", _places
    ),
    Element(
        "contact",
        "17 U.S.C. 512(c)(3)(A)(iv)",
        "address, telephone number and mail address of the complaining party",
        _owner("address", "phone", "email"),
    ),
    Element("good_faith", "17 U.S.C. 512(c)(3)(A)(v)", "a statement of good faith belief that the use is unauthorised"),
    Element(
        "accuracy",
        "17 U.S.C. 512(c)(3)(A)(vi)",
        "a statement that the information is accurate and, under penalty of perjury, of authority to act",
    ),
)

DSA = (
    Element(
        "explanation",
        "Regulation (EU) 2022/2065, Article 16(2)(a)",
        "a substantiated explanation why the content is illegal",
        _titles,
    ),
    Element(
        "location",
        "Regulation (EU) 2022/2065, Article 16(2)(b)",
        "the exact electronic location of the content",
        _places,
    ),
    Element(
        "contact",
        "Regulation (EU) 2022/2065, Article 16(2)(c)",
        "name and mail address of whoever submits the notice",
        _owner("name", "email"),
    ),
    Element(
        "good_faith",
        "Regulation (EU) 2022/2065, Article 16(2)(d)",
        "a statement of bona fide belief that the notice is accurate and complete",
    ),
)

CEASE = (
    Element("parties", "letter before action", "who writes, and for whom", _owner("name", "address")),
    Element("rights", "letter before action", "the works, and whose they are", _titles),
    Element("use", "letter before action", "the use that is objected to, with its addresses", _places),
    Element("demand", "letter before action", "what is demanded"),
    Element("deadline", "letter before action", "until when"),
    Element("signature", "letter before action", "who signs", _owner("signs_as", "email")),
)

WARNING_UNDER_GERMAN_LAW = (
    Element(
        "claims",
        "§ 97a Abs. 2 Nr. 3 UrhG",
        "claims for payment, damages apart from expenses, or that none are made here",
    ),
    Element(
        "extent", "§ 97a Abs. 2 Nr. 4 UrhG", "how far the demanded undertaking goes beyond the infringement, if it does"
    ),
)
"""Without these a German warning letter (Abmahnung) has no effect."""

LICENCE_OFFER = (
    Element("parties", "offer", "who offers", _owner("name", "address")),
    Element("work", "offer", "the works that are licensed", _titles),
    Element("use", "offer", "the use that the licence covers", _places),
    Element("terms", "offer", "fee, scope and time of the licence", _fee),
    Element("reservation", "offer", "that no right is waived unless the offer is accepted"),
    Element("deadline", "offer", "until when the offer holds"),
    Element("signature", "offer", "who signs", _owner("signs_as", "email")),
)


def elements_of(kind: NoticeKind, language: NoticeLanguage) -> tuple[Element, ...]:
    """Return the elements that a notice of this kind must have, in their order."""
    if kind is NoticeKind.CEASE and language is NoticeLanguage.GERMAN:
        return CEASE + WARNING_UNDER_GERMAN_LAW
    return {
        NoticeKind.DMCA: DMCA,
        NoticeKind.DSA: DSA,
        NoticeKind.CEASE: CEASE,
        NoticeKind.LICENCE_OFFER: LICENCE_OFFER,
    }[kind]


def missing_elements(
    facts: NoticeFacts, kind: NoticeKind, language: NoticeLanguage, written: Mapping[str, str]
) -> tuple[str, ...]:
    """Return one sentence for each element that is missing. `written` are the words of each element, by its key."""
    found = []
    for element in elements_of(kind, language):
        what = f"{element.law}: {element.words}"
        if not written.get(element.key, "").strip():
            found.append(f"{what}: the template has no words for it; it needs {call_of(element)}")
        elif element.needs is not None and (missing := element.needs(facts)) is not None:
            found.append(f"{what}: {missing}")
    return tuple(found)


def blanks_in(facts: NoticeFacts, text: str, missing: Sequence[str]) -> tuple[str, ...]:
    """Return one sentence for each thing of the owner that a text names without knowing it.

    Nobody should send "[owner.signs_as is missing]". What one of the missing elements names already is left out.
    """
    blanks = [name for name in sorted(facts.owner.unset) if blank_of(name) in text]
    named = " ".join(missing)
    return tuple(
        f"the text says {blank_of(name)}: set owner.{name} in the configuration"
        for name in blanks
        if f"owner.{name}" not in named
    )


def call_of(element: Element) -> str:
    """Return how a template writes an element."""
    return f'{{% call element("{element.key}") %}}...{{% endcall %}}'
