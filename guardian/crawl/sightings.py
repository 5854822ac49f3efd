"""Makes sightings of the images that a captured page, sitemap or feed shows."""

from guardian.model import USUAL_POLICY, PageCapture, PageImage, ReferrerPolicy, Sighting


def sighting_of(
    image: PageImage,
    source: str,
    page: PageCapture,
    shown_on: str | None = None,
    policy: ReferrerPolicy = USUAL_POLICY,
) -> Sighting:
    """Return an image as seen by a source on a page, at the time when the page was captured.

    `shown_on` is the address of the page that shows the image when that is not the captured one: sitemaps and feeds
    name images of other pages. `policy` is what requests may tell of that page, unless the image has its own.
    """
    return Sighting(
        source=source,
        image_url=image.image_url,
        page_url=shown_on or page.final_url,
        seen_at=page.response.fetched_at,
        context=image.context,
        also_at=image.also_at,
        inline=image.inline,
        page=page,
        referrer_policy=image.referrer_policy or policy,
    )
