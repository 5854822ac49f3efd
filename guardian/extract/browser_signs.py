"""Recognises pages that show their pictures only in a browser, where their scripts run."""

from selectolax.lexbor import LexborHTMLParser

_FEWEST_CHARACTERS = 200
_ROOTS = (
    "#root, #app, #__next, #___gatsby, #q-app, #svelte, app-root, [ng-app], [data-reactroot], [data-server-rendered]"
)
# What templates in the page itself look like before a script fills them in (Vue, Alpine, AngularJS, mustaches).
_FILLED_IN = (
    'img[src*="{{"], img[data-src*="{{"], img[ng-src*="{{"], img[\\:src], img[v-bind\\:src], '
    "[v-for] img, img[v-for], [x-for] img, [ng-repeat] img, img[ng-repeat]"
)
_ASKS = (
    "enable javascript",
    "requires javascript",
    "javascript is required",
    "javascript is disabled",
    "without javascript",
)


def sign_of_browser(tree: LexborHTMLParser) -> str | None:
    """Return why a page seems to need a browser, in words for people; None when nothing says so.

    Meant for pages on which hardly a picture was found. Removes elements from `tree`, so call it last.
    """
    notes = " ".join(node.text().lower() for node in tree.css("noscript"))
    scripts = len(tree.css("script"))
    if not scripts:
        return None
    if any(words in notes for words in _ASKS):
        return "the page asks for JavaScript"
    if tree.css_first(_FILLED_IN) is not None:
        return "its pictures are filled in by scripts"

    # Frameworks fill one empty element, so hardly any text stands in the HTML.
    has_root = tree.css_first(_ROOTS) is not None
    tree.strip_tags(["script", "style", "noscript", "template", "head"])
    shown = len(" ".join((tree.body.text() if tree.body else "").split()))
    if shown < _FEWEST_CHARACTERS and (has_root or scripts >= 3):
        return f"{scripts} scripts and {shown} characters of text"
    return None
