"""The results of a search as one HTML file, with its pictures inside: nothing is loaded from elsewhere."""

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass

from guardian.search.search import Result, SearchAnswer
from guardian.views.counting import counted

_STYLE = """
body { font: 15px/1.4 system-ui, sans-serif; margin: 2rem; color: #222; background: #fafafa; }
ol { display: grid; grid-template-columns: repeat(auto-fill, minmax(190px, 1fr)); gap: 1rem; padding: 0; }
li { list-style: none; background: #fff; border: 1px solid #ddd; border-radius: 6px; padding: .7rem; }
figure { margin: 0; } img { display: block; width: 100%; height: 150px; object-fit: contain; }
.rank { color: #777; } .why { color: #555; } .title { font-weight: 600; overflow-wrap: anywhere; }
.asked img { width: auto; }
"""


@dataclass(frozen=True, slots=True)
class Shown:
    """A result and its small picture, an encoded JPEG; None where it could not be read."""

    result: Result
    thumbnail: bytes | None


def page_of(asked: bytes | None, shown: Sequence[Shown], answer: SearchAnswer) -> str:
    """Return the page: the picture asked with, the results in their order, and what could not be searched."""
    notes = "".join(f"<p>Not searched: {html.escape(words)}</p>" for words in answer.not_searched)
    query = f'<figure class="asked">{_image(asked, "the picture asked with")}</figure>' if asked else ""
    searched = sum(answer.searched.values())
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Search results</title>'
        '<meta name="viewport" content="width=device-width">'
        f"<style>{_STYLE}</style><h1>What is like this</h1>{query}"
        f"<p>{len(shown)} results among {searched} pictures, best first.</p>{notes}"
        f"<ol>{''.join(_item(one) for one in shown)}</ol></html>\n"
    )


def _item(shown: Shown) -> str:
    result = shown.result
    title, below = "", ""
    if result.asset is not None:
        title, below = result.asset.title, f"{result.asset.collection} · {result.asset.id}"
    elif result.seen is not None:
        places = [one.page_url or one.image_url or "" for one in result.addresses]
        title = next(filter(None, places), "inside a page")
        days = f"{result.seen.first_seen_at:%Y-%m-%d} to {result.seen.last_seen_at:%Y-%m-%d}"
        below = f"seen {days} · {counted(len(places), 'place')}"
    return (
        f'<li><figure>{_image(shown.thumbnail, title)}<figcaption><span class="rank">{result.rank}</span> '
        f'<span class="title">{html.escape(title)}</span><br>{html.escape(below)}<br>'
        f'<span class="why">{html.escape(result.why)}</span></figcaption></figure></li>'
    )


def _image(picture: bytes | None, alt: str) -> str:
    if picture is None:
        return f"<p>no picture: {html.escape(alt)}</p>"
    text = base64.b64encode(picture).decode("ascii")
    return f'<img src="data:image/jpeg;base64,{text}" alt="{html.escape(alt, quote=True)}">'
