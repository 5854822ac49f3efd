"""One page of HTML: parsed once, then asked for its pictures, its links and the signs that it needs a browser."""

from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser
from w3lib.encoding import html_to_unicode

from guardian.extract.browser_signs import sign_of_browser
from guardian.extract.links import Links, links_on_page
from guardian.extract.pictures import images_on_page
from guardian.model import PageImage, Response, Skipped


@dataclass(frozen=True, slots=True)
class HtmlReading:
    """What one page shows, what it links to, and why it seems to need a browser."""

    seen: list[PageImage | Skipped]
    links: Links
    browser_sign: str | None


def read_html(response: Response) -> HtmlReading:
    """Parse a page and look for everything. Its time has no bounds unless the page is simple (`html_complexity`)."""
    tree = LexborHTMLParser(html_to_unicode(response.header("content-type"), response.content)[1])
    seen = images_on_page(tree, response)
    links = links_on_page(tree, response)
    # This one takes the tree apart.
    return HtmlReading(seen, links, sign_of_browser(tree))
