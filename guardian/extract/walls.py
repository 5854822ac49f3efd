"""Recognises pages that stand before what was asked for: logins, questions for consent or age, checks for robots."""

import re

from selectolax.lexbor import LexborHTMLParser

_MOST_CHARACTERS = 800
"""A page with more words than this says something of its own beside what it asks."""

_MOST_LINKS = 8
"""Walls lead to an imprint, a privacy notice and a help page; other pages have a navigation."""

_ROBOT_CHECKS = (
    'script[src*="/cdn-cgi/challenge"], script[src*="challenges.cloudflare.com"], script[src*="hcaptcha.com"], '
    'script[src*="recaptcha"], script[src*="captcha-delivery.com"], script[src*="_Incapsula_Resource"], '
    'script[src*="perimeterx"], script[src*="px-captcha"], iframe[src*="captcha"], iframe[src*="_Incapsula_Resource"]'
)
_ROBOT_WORDS = re.compile(
    r"just a moment|checking (if the site|your browser)|verif(y|ying) (that )?you are (a )?human|are you a robot|"
    r"unusual traffic|bot verification|ddos protection|pardon our interruption|sind sie ein roboter"
)
_AGE_WORDS = re.compile(
    r"(over|at least|older than|least) (18|21)\b|18\+|age (verification|check)|(confirm|verify) your age|"
    r"(über|mindestens) 18|plus de 18 ans|mayor de (18|edad)|maggiorenne"
)
_CONSENT_WORDS = re.compile(
    r"before you continue|we value your privacy|accept (all|cookies)|(agree|consent) (to|and)|i agree|"
    r"alles? akzeptieren|zustimmen|tout accepter|j'accepte|aceptar( todo| cookies)?|accetta( tutt[oi])?|akceptuj"
)


def sign_of_wall(tree: LexborHTMLParser) -> str | None:
    """Return what a page asks for before it shows anything, in words for people; None when it asks for nothing.

    Meant for pages on which hardly a picture was found. Login boxes, cookie banners and robot checks of forms stand on
    ordinary pages as well: only a page that has little beside them is a wall. Removes elements from `tree`.
    """
    has_login = tree.css_first('input[type="password" i]') is not None
    has_check = tree.css_first(_ROBOT_CHECKS) is not None
    has_button = tree.css_first('form, button, input[type="submit" i], [role="button"]') is not None
    title = tree.css_first("title")
    links = len({node.attributes.get("href") for node in tree.css("a[href]")})

    tree.strip_tags(["script", "style", "noscript", "template", "head"])
    shown = " ".join((tree.body.text(separator=" ") if tree.body else "").split())
    words = f"{title.text() if title else ''} {shown}".lower()
    if len(shown) > _MOST_CHARACTERS or links > _MOST_LINKS:
        return None

    if _ROBOT_WORDS.search(words) or (has_check and not has_login):
        return "the page checks whether a person asks"
    if has_login:
        return "the page asks to log in"
    if _AGE_WORDS.search(words) and (has_button or links):
        return "the page asks for the visitor's age"
    if has_button and _CONSENT_WORDS.search(words):
        return "the page asks to agree first"
    return None
