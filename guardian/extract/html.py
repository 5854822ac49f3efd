"""Reads a page of HTML: parses it once, and returns its pictures, its links and whether it needs a browser."""

from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser
from w3lib.encoding import (
    html_body_declared_encoding,
    html_to_unicode,
    http_content_type_encoding,
    read_bom,
)

from guardian.extract.browser_signs import sign_of_browser
from guardian.extract.links import Links, links_on_page
from guardian.extract.pictures import images_on_page
from guardian.extract.referrers import policy_of_page
from guardian.extract.walls import sign_of_wall
from guardian.model import USUAL_POLICY, PageImage, ReferrerPolicy, Response, Skipped


@dataclass(frozen=True, slots=True)
class HtmlReading:
    """What one page shows, what it links to, and why it seems to need a browser (None if it does not).

    `referrer_policy`: what the requests for its pictures may tell of its address. `wall_sign`: what it asks for before
    it shows anything, such as a login; None if it does not.
    """

    seen: list[PageImage | Skipped]
    links: Links
    browser_sign: str | None
    referrer_policy: ReferrerPolicy = USUAL_POLICY
    wall_sign: str | None = None


def read_html(response: Response) -> HtmlReading:
    """Parse a page and return what it holds. Takes unbounded time unless the page is simple (see `html_complexity`)."""
    tree = LexborHTMLParser(decoded_html(response))
    seen = images_on_page(tree, response)
    links = links_on_page(tree, response)
    policy = policy_of_page(tree, response)
    # Last, since both remove elements from the tree.
    browser_sign = sign_of_browser(tree)
    return HtmlReading(seen, links, browser_sign, policy, sign_of_wall(tree))


def decoded_html(response: Response) -> str:
    """Return the text of a page, decoded as browsers do (HTML Standard, 13.2.3).

    A page that says within itself that it is UTF-16 is UTF-8: otherwise nobody could have read the words.
    """
    content, stated = response.content, response.header("content-type")
    if http_content_type_encoding(stated) is None and read_bom(content[:4])[0] is None:
        declared = html_body_declared_encoding(content[:4096]) or ""
        if declared.startswith(("utf-16", "utf-32")) and b"\0" not in content[:4096]:
            return content.decode("utf-8", errors="replace")
    return html_to_unicode(stated, content)[1]
