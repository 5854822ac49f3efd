"""The text of a page as its HTML has it: what is shown when no script runs."""

from selectolax.lexbor import LexborHTMLParser

from guardian.extract.html import decoded_html
from guardian.extract.html_sandbox import is_simple
from guardian.model import Response

_NOT_SHOWN = ["script", "style", "template", "head", "noscript"]


def text_of_page(response: Response) -> str | None:
    """Return the text of a page without scripts and styles; None for HTML that could take hours to read."""
    if not is_simple(response):
        return None
    tree = LexborHTMLParser(decoded_html(response))
    tree.strip_tags(_NOT_SHOWN)
    return tree.body.text(separator=" ") if tree.body is not None else ""
