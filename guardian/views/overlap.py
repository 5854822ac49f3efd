"""Where two pictures show the same, as polygons that a page draws on both, and in a sentence. Pure functions."""

from dataclasses import dataclass
from datetime import UTC, datetime

from guardian.model import Asset, Comparison, Finding, Transform
from guardian.views.comparisons import percent_text, share_text
from guardian.views.plain_text import cleaned

Point = tuple[float, float]
Polygon = tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Overlap:
    """The part that two pictures share. Sizes (width, height) and polygons are pixels of the full upright pictures.

    `matrix` maps the asset's pixels to the found picture's, in the order of SVG: a, b, c, d, e, f with
    x' = a*x + c*y + e and y' = b*x + d*y + f.
    """

    asset_size: tuple[int, int]
    found_size: tuple[int, int]
    asset_polygon: Polygon
    found_polygon: Polygon
    matrix: tuple[float, float, float, float, float, float]


def overlap_of(asset: Asset, comparison: Comparison, found_size: tuple[int, int] | None) -> Overlap | None:
    """Return where the pictures show the same; None where no alignment was measured.

    Without `found_size` it is worked out from the share of the found picture that the overlap fills.
    """
    transform = comparison.transform
    if transform is None or min(asset.width, asset.height) <= 0:
        return None

    left, top, right, bottom = transform.asset_box
    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    mine = tuple((x * asset.width, y * asset.height) for x, y in corners)
    theirs = tuple(_mapped(transform, point) for point in mine)
    size = found_size or _size_from(transform, theirs)
    if size is None:
        return None
    a, b, c, d, e, f = transform.matrix
    return Overlap((asset.width, asset.height), size, mine, theirs, (a, d, b, e, c, f))


def points_text(polygon: Polygon) -> str:
    """Return the points of a polygon as SVG writes them: "0,0 10.5,0 10.5,20"."""
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in polygon)


def finding_sentence(finding: Finding, asset: Asset | None, whose: str = "your") -> str:
    """Return what was found as a sentence for somebody who knows nothing of guardian. `whose`: "the owner's"."""
    comparison = finding.comparison
    title = f"“{cleaned(asset.title)[:120]}”" if asset is not None else finding.asset_id
    words = f"The picture that was found shows {whose} image {title}"
    if comparison.description:
        words += f": {comparison.description}"
    words += f". The probability that it is made from the same original is {_in_words(comparison.probability)}."

    shares = []
    if comparison.asset_coverage is not None:
        shares.append(f"{share_text(comparison.asset_coverage)} of {whose} image can be seen")
    if comparison.candidate_coverage is not None:
        shares.append(f"it fills {share_text(comparison.candidate_coverage)} of the picture found")
    if shares:
        words += f" {' and '.join(shares).capitalize()}."

    first, last = _day_and_time(finding.first_seen_at), _day_and_time(finding.last_seen_at)
    return (
        f"{words} It was seen on {first}."
        if first == last
        else f"{words} It was first seen on {first} and last on {last}."
    )


def _in_words(probability: float) -> str:
    """Return a probability as a sentence has it: "more than 99.9 %"."""
    return percent_text(probability).replace(">", "more than ").replace("<", "less than ")


def _day_and_time(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d at %H:%M} UTC"


def _mapped(transform: Transform, point: Point) -> Point:
    a, b, c, d, e, f = transform.matrix
    x, y = point
    return a * x + b * y + c, d * x + e * y + f


def _size_from(transform: Transform, polygon: Polygon) -> tuple[int, int] | None:
    """Return the size of the found picture of which a polygon fills the stated box; None for an empty box."""
    left, top, right, bottom = transform.candidate_box
    if right - left <= 0 or bottom - top <= 0:
        return None
    width = max(x for x, _ in polygon) - min(x for x, _ in polygon)
    height = max(y for _, y in polygon) - min(y for _, y in polygon)
    return max(1, round(width / (right - left))), max(1, round(height / (bottom - top)))
