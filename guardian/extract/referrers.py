"""Reads what a page lets its requests tell of its address: for all of them, and for single pictures."""

from selectolax.lexbor import LexborHTMLParser

from guardian.model import USUAL_POLICY, ReferrerPolicy, Response

# Names from before there was a standard, which browsers still know in a meta element.
_OLD_NAMES = {
    "never": ReferrerPolicy.NO_REFERRER,
    "default": USUAL_POLICY,
    "always": ReferrerPolicy.UNSAFE_URL,
    "origin-when-crossorigin": ReferrerPolicy.ORIGIN_WHEN_CROSS_ORIGIN,
}
_NAMES = {policy.value: policy for policy in ReferrerPolicy}


def policy_of_page(tree: LexborHTMLParser, response: Response) -> ReferrerPolicy:
    """Return the policy of a page: that of its last meta element with one, else of its header, else the usual."""
    policy = USUAL_POLICY
    # Of a list the last known name counts; servers name newer ones behind older ones.
    for name in response.whole_header("referrer-policy").split(","):
        policy = read_policy(name) or policy
    for node in tree.css('meta[name="referrer" i]'):
        stated = node.attributes.get("content")
        policy = read_policy(stated) or _OLD_NAMES.get((stated or "").strip().lower()) or policy
    return policy


def read_policy(name: str | None) -> ReferrerPolicy | None:
    """Return the policy of this name; None for an empty or unknown one."""
    return _NAMES.get((name or "").strip().lower())
