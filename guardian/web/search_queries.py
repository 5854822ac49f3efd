"""A search as the desk's forms and addresses write it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from urllib.parse import urlencode

from starlette.datastructures import ImmutableMultiDict, UploadFile

from guardian.errors import UsageError
from guardian.search.asking import FILTERS, SearchSpec
from guardian.web.api.inputs import is_storable

LONGEST_TEXT = 2_000
"""Characters of one field: a search stands in an address, of which servers read 64 kB."""

MOST_EXAMPLES = 20
"""Of a search, of each kind."""

MOST_COLOURS = 20

_COLOUR = re.compile(r"(?:\w+\([^()]*\)|[^\s,;:]+)(?:\s*:\s*[\d.]+\s*%)?")

Fields = ImmutableMultiDict[str, str] | ImmutableMultiDict[str, UploadFile | str]


def asked_in(fields: Fields) -> SearchSpec:
    """Return the search that some fields write, which may still mean nothing. Raises UsageError for far too much."""

    def one(name: str) -> str:
        return _typed(fields.get(name), name)

    def several(name: str) -> tuple[str, ...]:
        values = [_typed(value, name) for value in fields.getlist(name)]
        found = tuple(dict.fromkeys(value for value in values if value))
        if len(found) > MOST_EXAMPLES:
            raise UsageError(f"at most {MOST_EXAMPLES} examples; take some away")
        return found

    digest, colours = one("kept"), tuple(_COLOUR.findall(one("colours")))
    if len(colours) > MOST_COLOURS:
        raise UsageError(f"at most {MOST_COLOURS} colours; take some away")
    return SearchSpec(
        where=one("where") or "all",
        by=one("by") or "auto",
        text=one("text") or None,
        region=one("region") or None,
        colours=colours,
        like=several("like"),
        unlike=several("unlike"),
        filters=tuple(f"{name}={one(name)}" for name in FILTERS if one(name)),
        own=one("asset") or None,
        picture=digest if re.fullmatch(r"[0-9a-f]{64}", digest) else None,
    )


def _typed(value: UploadFile | str | None, name: str) -> str:
    """Return what is written in a field, "" for none. Raises UsageError for what no person writes there."""
    if not isinstance(value, str):
        return ""
    if len(value) > LONGEST_TEXT:
        raise UsageError(f"{name}: at most {LONGEST_TEXT:,} characters")
    if not is_storable(value):
        raise UsageError(f"{name}: a text has no NUL character and no half of a surrogate pair")
    return value.strip()


def query_of(asked: SearchSpec) -> str:
    """Return what `asked_in` reads the same search from, as the query of an address."""
    return urlencode(list(_fields_of(asked)))


def _fields_of(asked: SearchSpec) -> Iterator[tuple[str, str]]:
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


def narrowed(asked: SearchSpec, facet: str, value: str) -> SearchSpec | None:
    """Return a search for those of its results that have this in common; None where no search can ask for that."""
    if facet == "kind":
        return replace(asked, where={"asset": "assets", "seen": "seen"}.get(value, asked.where))
    if facet == "colour":
        others = tuple(one for one in asked.colours if one != value)
        return replace(asked, colours=(*others, value)) if len(others) < MOST_COLOURS else None
    if facet not in FILTERS:
        return None
    other_filters = tuple(one for one in asked.filters if not one.startswith(f"{facet}="))
    return replace(asked, filters=(*other_filters, f"{facet}={value}"))


def onward_queries(asked: SearchSpec, id_: str, *, is_asset: bool) -> dict[str, str]:
    """Return the queries that go on from a result: with it `alone`, with `more` and with `less` like it.

    Where there are as many examples as a search may have, the one that would add another is left out.
    """
    alone = SearchSpec(asked.where, own=id_) if is_asset else SearchSpec(asked.where, like=(id_,))
    like, unlike = (tuple(one for one in several if one != id_) for several in (asked.like, asked.unlike))
    found = {"alone": query_of(alone)}
    if len(like) < MOST_EXAMPLES:
        found["more"] = query_of(replace(asked, like=(*like, id_), unlike=unlike))
    if len(unlike) < MOST_EXAMPLES:
        found["less"] = query_of(replace(asked, like=like, unlike=(*unlike, id_)))
    return found


def parts_of(asked: SearchSpec, names: Mapping[str, str] = MappingProxyType({})) -> list[tuple[str, SearchSpec]]:
    """Return what narrows or moves a search, in words, each with the search without it.

    `names`: what people call examples, by id; others keep their id.
    """
    found = [
        (text.replace("=", ": ", 1), replace(asked, filters=tuple(one for one in asked.filters if one != text)))
        for text in asked.filters
    ]
    found += [
        (f"colour {text}", replace(asked, colours=tuple(one for one in asked.colours if one != text)))
        for text in asked.colours
    ]
    found += [
        (f"like {names.get(id_, id_)}", replace(asked, like=tuple(one for one in asked.like if one != id_)))
        for id_ in asked.like
    ]
    found += [
        (f"unlike {names.get(id_, id_)}", replace(asked, unlike=tuple(one for one in asked.unlike if one != id_)))
        for id_ in asked.unlike
    ]
    if asked.region:
        found.append((f"only the part {asked.region}", replace(asked, region=None)))
    return found


def words_of(asked: SearchSpec, names: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return what a search asks, as people at the desk say it; `names` as for `parts_of`."""
    found = ["like a picture"] if asked.picture else ["like one of your images"] if asked.own else []
    found += [f"words {asked.text}"] if asked.text else []
    found += [words for words, _ in parts_of(asked, names)]
    found += [f"by {asked.by}"] if asked.by != "auto" else []
    found += [{"assets": "in your images", "seen": "in what was seen"}[asked.where]] if asked.where != "all" else []
    return "; ".join(found)
