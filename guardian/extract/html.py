"""Reads a page of HTML: parses it once, and returns its pictures, its links and whether it needs a browser."""

from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser
from w3lib.encoding import html_to_unicode

from guardian.extract.browser_signs import sign_of_browser
from guardian.extract.links import Links, links_on_page
from guardian.extract.pictures import images_on_page
from guardian.extract.referrers import policy_of_page
from guardian.model import USUAL_POLICY, PageImage, ReferrerPolicy, Response, Skipped


@dataclass(frozen=True, slots=True)
class HtmlReading:
    """What one page shows, what it links to, and why it seems to need a browser (None if it does not).

    `referrer_policy`: what the requests for its pictures may tell of its address.
    """

    seen: list[PageImage | Skipped]
    links: Links
    browser_sign: str | None
    referrer_policy: ReferrerPolicy = USUAL_POLICY


def read_html(response: Response) -> HtmlReading:
    """Parse a page and return what it holds. Takes unbounded time unless the page is simple (see `html_complexity`)."""
    tree = LexborHTMLParser(html_to_unicode(response.header("content-type"), response.content)[1])
    seen = images_on_page(tree, response)
    links = links_on_page(tree, response)
    policy = policy_of_page(tree, response)
    # Last, since it removes elements from the tree.
    return HtmlReading(seen, links, sign_of_browser(tree), policy)
