"""The words around a picture on its page. Strangers wrote them: escape them for the medium that shows them."""

from guardian.model import Context


def context_json(context: Context) -> dict[str, str | None]:
    """Return the object of these words by what they are; null where the page has none."""
    return {
        "alt": context.alt,
        "caption": context.caption,
        "title": context.title,
        "page_title": context.page_title,
        "nearby_text": context.nearby_text,
        "claims": context.claims,
    }
