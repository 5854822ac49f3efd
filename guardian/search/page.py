"""The results of a search as one HTML file, with its pictures inside: nothing is loaded from elsewhere."""

import base64
import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from guardian.search.question import By, Kind
from guardian.search.search import Request, Result, SearchAnswer
from guardian.urls.addresses import is_web_address
from guardian.views.comparisons import share_text
from guardian.views.counting import counted

_STYLE = """
body { font: 15px/1.4 system-ui, sans-serif; margin: 2rem; color: #222; background: #fafafa; }
ol { display: grid; grid-template-columns: repeat(auto-fill, minmax(190px, 1fr)); gap: 1rem; padding: 0; }
li { list-style: none; background: #fff; border: 1px solid #ddd; border-radius: 6px; padding: .7rem; }
figure { margin: 0; } img { display: block; width: 100%; height: 150px; object-fit: contain; }
figcaption { overflow-wrap: anywhere; } .rank { color: #777; } .why { color: #555; } .title { font-weight: 600; }
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
        f"<style>{_STYLE}</style><h1>{'What is like this' if asked else 'What was searched for'}</h1>{query}"
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
    result = shown.result
    title, below = "", ""
    if result.asset is not None:
        title, below = result.asset.title, f"{result.asset.collection} · {result.asset.id}"
    elif result.seen is not None:
        places = [one.page_url or one.image_url or "" for one in result.places]
        title = next(filter(None, places), "inside a page")
        days = [f"{moment:%Y-%m-%d}" for moment in (result.seen.first_seen_at, result.seen.last_seen_at)]
        below = f"seen {' to '.join(dict.fromkeys(days))} · {counted(len(places), 'place')}"
    name = html.escape(title)
    if is_web_address(title) and result.asset is None:
        name = f'<a href="{html.escape(title, quote=True)}" rel="noreferrer">{name}</a>'
    return (
        f'<li><figure>{_image(shown.thumbnail, title)}<figcaption><span class="rank">{result.rank}</span> '
        f'<span class="title">{name}</span><br>{html.escape(below)}<br>'
        f'<span class="why">{html.escape(result.reason)}</span></figcaption></figure></li>'
    )


def _image(picture: bytes | None, alt: str) -> str:
    if picture is None:
        return f"<p>no picture: {html.escape(alt)}</p>"
    text = base64.b64encode(picture).decode("ascii")
    return f'<img src="data:image/jpeg;base64,{text}" alt="{html.escape(alt, quote=True)}">'
