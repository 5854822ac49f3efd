"""A search as the desk's forms and addresses write it."""

import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlencode

from starlette.datastructures import ImmutableMultiDict, UploadFile

from guardian.errors import UsageError
from guardian.search.asking import FILTERS, Asked

_LONGEST = 10_000
_MOST_EXAMPLES = 20
_COLOUR = re.compile(r"[^\s,;:]+(?:\s*:\s*[\d.]+\s*%)?")

Fields = ImmutableMultiDict[str, str] | ImmutableMultiDict[str, UploadFile | str]


def asked_in(fields: Fields) -> Asked:
    """Return the search that some fields write, which may still mean nothing. Raises UsageError for far too much."""

    def one(name: str) -> str:
        value = fields.get(name)
        return value.strip()[:_LONGEST] if isinstance(value, str) else ""

    def several(name: str) -> tuple[str, ...]:
        values = [value.strip()[:_LONGEST] for value in fields.getlist(name) if isinstance(value, str)]
        found = tuple(dict.fromkeys(value for value in values if value))
        if len(found) > _MOST_EXAMPLES:
            raise UsageError(f"at most {_MOST_EXAMPLES} examples; take some away")
        return found

    digest = one("kept")
    return Asked(
        where=one("where") or "all",
        by=one("by") or "auto",
        text=one("text") or None,
        region=one("region") or None,
        colours=tuple(_COLOUR.findall(one("colours"))),
        like=several("like"),
        unlike=several("unlike"),
        filters=tuple(f"{name}={one(name)}" for name in FILTERS if one(name)),
        own=one("asset") or None,
        picture=digest if re.fullmatch(r"[0-9a-f]{64}", digest) else None,
    )


def query_of(asked: Asked) -> str:
    """Return what `asked_in` reads the same search from, as the query of an address."""
    return urlencode(list(_fields_of(asked)))


def _fields_of(asked: Asked) -> Iterator[tuple[str, str]]:
    for name, value in (("kept", asked.picture), ("asset", asked.own), ("text", asked.text), ("region", asked.region)):
        if value:
            yield name, value
    if asked.colours:
        yield "colours", ", ".join(asked.colours)
    yield from (("like", one) for one in asked.like)
    yield from (("unlike", one) for one in asked.unlike)
    if asked.where != "all":
        yield "where", asked.where
    if asked.by != "auto":
        yield "by", asked.by
    for text in asked.filters:
        name, _, value = text.partition("=")
        yield name, value


def narrowed(asked: Asked, facet: str, value: str) -> Asked | None:
    """Return a search for those of its results that have this in common; None where no search can ask for that."""
    if facet == "kind":
        return replace(asked, where={"asset": "assets", "seen": "seen"}.get(value, asked.where))
    if facet == "colour":
        return replace(asked, colours=(*(one for one in asked.colours if one != value), value))
    if facet not in FILTERS:
        return None
    others = tuple(one for one in asked.filters if not one.startswith(f"{facet}="))
    return replace(asked, filters=(*others, f"{facet}={value}"))


def parts_of(asked: Asked) -> list[tuple[str, Asked]]:
    """Return what narrows or moves a search, in words, each with the search without it."""
    found = [
        (text.replace("=", ": ", 1), replace(asked, filters=tuple(one for one in asked.filters if one != text)))
        for text in asked.filters
    ]
    found += [
        (f"colour {text}", replace(asked, colours=tuple(one for one in asked.colours if one != text)))
        for text in asked.colours
    ]
    found += [(f"like {id_}", replace(asked, like=tuple(o for o in asked.like if o != id_))) for id_ in asked.like]
    found += [
        (f"unlike {id_}", replace(asked, unlike=tuple(one for one in asked.unlike if one != id_)))
        for id_ in asked.unlike
    ]
    if asked.region:
        found.append((f"only the part {asked.region}", replace(asked, region=None)))
    return found


def words_of(asked: Asked) -> str:
    """Return what a search asks, as people at the desk say it."""
    found = ["like a picture"] if asked.picture else ["like one of your images"] if asked.own else []
    found += [f"words {asked.text}"] if asked.text else []
    found += [words for words, _ in parts_of(asked)]
    found += [f"by {asked.by}"] if asked.by != "auto" else []
    found += [{"assets": "in your images", "seen": "in what was seen"}[asked.where]] if asked.where != "all" else []
    return "; ".join(found)
