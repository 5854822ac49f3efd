"""The results of a search as one HTML file, with its pictures inside: nothing is loaded from elsewhere."""

import base64
import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from guardian.model import SeenAddress, SeenPicture
from guardian.search.question import By, Kind
from guardian.search.request import Request, Result, SearchAnswer
from guardian.urls.addresses import is_web_address
from guardian.views.comparisons import share_text
from guardian.views.counting import counted

_STYLE = """
body { font: 15px/1.4 system-ui, sans-serif; margin: 2rem; color: #222; background: #fafafa; }
ol { display: grid; grid-template-columns: repeat(auto-fill, minmax(210px, 1fr)); gap: 1rem; padding: 0; }
li { list-style: none; background: #fff; border: 1px solid #ddd; border-radius: 6px; padding: .7rem; }
figure { margin: 0; } img { display: block; width: 100%; height: 150px; object-fit: contain; }
figcaption { overflow-wrap: anywhere; margin-top: .5rem; } .rank { color: #777; }
.title { font-weight: 600; } .title a { word-break: break-all; }
.why { display: block; margin: .3rem 0; }
.what, .id { display: block; color: #666; font-size: 13px; } .id { font: 11px ui-monospace, monospace; }
.asked img { width: auto; }
"""


@dataclass(frozen=True, slots=True)
class Shown:
    """A result and its small picture, an encoded JPEG; None where it could not be read."""

    result: Result
    thumbnail: bytes | None


def page_of(request: Request, asked: bytes | None, shown: Sequence[Shown], answer: SearchAnswer) -> str:
    """Return the page: what was asked, with the picture, the results in their order, and what could not be searched."""
    notes = "".join(f"<p>Not searched: {html.escape(words)}</p>" for words in answer.not_searched)
    query = f'<figure class="asked">{_image(asked, "the picture asked with")}</figure>' if asked else ""
    words = html.escape("; ".join(_asked_words(request)))
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Search results</title>'
        '<meta name="viewport" content="width=device-width">'
        f"<style>{_STYLE}</style><h1>{'What is like this?' if asked else 'What was searched for'}</h1>{query}"
        f"{f'<p>{words}</p>' if words else ''}<p>{html.escape(answer.in_words)}</p>{notes}"
        f"<ol>{''.join(_item(one) for one in shown)}</ol></html>\n"
    )


def _asked_words(request: Request) -> Iterator[str]:
    """Yield what was asked beside the picture, a part for each option."""
    if request.text is not None:
        yield f"words: {request.text}"
    if request.colours:
        wanted = [f"{one.name} {share_text(one.share)}" if one.share else one.name for one in request.colours]
        yield f"colours: {', '.join(wanted)}"
    if request.region is not None:
        yield f"only this part of it: {','.join(map(str, request.region))}"
    for name, examples in (("like", request.like), ("unlike", request.unlike)):
        if examples:
            yield f"{name} {', '.join(one.id for one in examples)}"
    if request.by is not By.AUTO:
        yield f"ranked by {request.by.value}"
    if len(request.where) == 1:
        yield "among what you own" if Kind.ASSET in request.where else "among what was seen"
    given = {field.name: getattr(request.filters, field.name) for field in fields(request.filters)}
    yield from (
        f"{name}: {value:%Y-%m-%d}" if isinstance(value, datetime) else f"{name}: {value}"
        for name, value in given.items()
        if value is not None
    )


def _item(shown: Shown) -> str:
    result, own_address = shown.result, ""
    if result.asset is not None:
        title, id_, what = result.asset.title, result.asset.id, f"yours, {result.asset.collection}"
        name = html.escape(title)
    elif result.seen is not None:
        place = _place_of(result)
        title = (place and (place.page_url or place.image_url)) or "inside a page"
        id_, what = result.seen.id, _when_seen(result.seen, len(result.places))
        name, own_address = _link(title), _own_address(place)
    else:
        return ""

    return (
        f'<li><figure>{_image(shown.thumbnail, title)}<figcaption><span class="rank">{result.rank}</span> '
        f'<span class="title">{name}</span><span class="why">{html.escape(result.reason)}</span>'
        f'<span class="what">{html.escape(what)}{own_address}</span><span class="id">{id_}</span>'
        "</figcaption></figure></li>"
    )


def _place_of(result: Result) -> SeenAddress | None:
    """Return the first place that has an address; None where none has."""
    return next((one for one in result.places if one.page_url or one.image_url), None)


def _own_address(place: SeenAddress | None) -> str:
    """Return a link to the picture itself, beside that to its page: several pictures of a page share the latter."""
    if place is None or not place.page_url or not is_web_address(place.image_url or ""):
        return ""
    return f', <a href="{html.escape(place.image_url or "", quote=True)}" rel="noreferrer">image</a>'


def _when_seen(seen: SeenPicture, places: int) -> str:
    days = [f"{moment:%Y-%m-%d}" for moment in (seen.first_seen_at, seen.last_seen_at)]
    return f"seen {' to '.join(dict.fromkeys(days))} at {counted(places, 'place')}"


def _link(address: str) -> str:
    """Return an address, shown without its scheme; as a link where it is one of the web."""
    if not is_web_address(address):
        return html.escape(address)
    return (
        f'<a href="{html.escape(address, quote=True)}" rel="noreferrer">{html.escape(address.split("://", 1)[-1])}</a>'
    )


def _image(picture: bytes | None, alt: str) -> str:
    if picture is None:
        return f"<p>no picture: {html.escape(alt)}</p>"
    text = base64.b64encode(picture).decode("ascii")
    return f'<img src="data:image/jpeg;base64,{text}" alt="{html.escape(alt, quote=True)}">'
