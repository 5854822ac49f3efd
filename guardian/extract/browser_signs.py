"""Signs that a page shows its pictures only in a browser, where its scripts run."""

from selectolax.lexbor import LexborHTMLParser

_FEWEST_CHARACTERS = 200
_ROOTS = (
    "#root, #app, #__next, #___gatsby, #q-app, #svelte, app-root, [ng-app], [data-reactroot], [data-server-rendered]"
)
_ASKS = (
    "enable javascript",
    "requires javascript",
    "javascript is required",
    "javascript is disabled",
    "without javascript",
)


def sign_of_browser(tree: LexborHTMLParser) -> str | None:
    """Return what says so, in words; None when nothing does. Takes the tree apart.

    Meant for pages on which hardly a picture was found.
    """
    notes = " ".join(node.text().lower() for node in tree.css("noscript"))
    scripts = len(tree.css("script"))
    if not scripts:
        return None
    if any(words in notes for words in _ASKS):
        return "the page asks for JavaScript"
    has_root = tree.css_first(_ROOTS) is not None
    tree.strip_tags(["script", "style", "noscript", "template", "head"])
    shown = len(" ".join((tree.body.text() if tree.body else "").split()))
    if shown < _FEWEST_CHARACTERS and (has_root or scripts >= 3):
        return f"{scripts} scripts and {shown} characters of text"
    return None
