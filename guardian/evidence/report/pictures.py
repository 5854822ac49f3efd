"""Pictures on the pages of a report, within their bounds, with the overlap drawn on them."""

import io
from collections.abc import Sequence

from PIL import Image as Pixels
from reportlab.lib.colors import HexColor, white
from reportlab.lib.utils import ImageReader
from reportlab.platypus import Flowable

from guardian.evidence.report.page import INK, RULE

_LONGEST = 1400
_OUTLINE = HexColor("#e0245e")

Point = tuple[float, float]


class Figure(Flowable):  # type: ignore[misc]
    """A picture that fills a box of at most `width` by `height` points, upright and in proportion.

    `polygon`: corners of an outline, in pixels of a picture of `polygon_size`. What is higher than `tallest` times its
    width shows its upper part only.
    """

    def __init__(
        self,
        content: bytes,
        width: float,
        height: float,
        *,
        polygon: Sequence[Point] = (),
        polygon_size: tuple[int, int] = (1, 1),
        tallest: float | None = None,
    ) -> None:
        super().__init__()
        image = Pixels.open(io.BytesIO(content)).convert("RGB")
        self.is_cut = tallest is not None and image.height > tallest * image.width
        if tallest is not None and self.is_cut:
            image = image.crop((0, 0, image.width, int(tallest * image.width)))
        image.thumbnail((_LONGEST, _LONGEST))
        factor = min(width / image.width, height / image.height)
        self.hAlign = "CENTER"
        self._image, self._polygon, self._of = image, polygon, polygon_size
        self._width, self._height = image.width * factor, image.height * factor

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:
        """Return the size in points."""
        return self._width, self._height

    def draw(self) -> None:
        """Draw the picture, its edge and the outline."""
        canvas = self.canv
        canvas.drawImage(_as_jpeg(self._image), 0, 0, self._width, self._height)
        canvas.setStrokeColor(RULE)
        canvas.setLineWidth(0.5)
        canvas.rect(0, 0, self._width, self._height)
        if not self._polygon:
            return

        path = canvas.beginPath()
        path.rect(0, 0, self._width, self._height)
        canvas.saveState()
        canvas.clipPath(path, stroke=0)
        outline = canvas.beginPath()
        for number, (x, y) in enumerate(self._polygon):
            place = (x / self._of[0] * self._width, self._height - y / self._of[1] * self._height)
            (outline.moveTo if number == 0 else outline.lineTo)(*place)
        outline.close()
        # Twice, so that it stands out from light and from dark pictures.
        for colour, thickness in ((white, 3.6), (_OUTLINE, 1.8)):
            canvas.setStrokeColor(colour)
            canvas.setLineWidth(thickness)
            canvas.drawPath(outline, stroke=1, fill=0)
        canvas.restoreState()
        canvas.setStrokeColor(INK)


def _as_jpeg(image: Pixels.Image) -> ImageReader:
    written = io.BytesIO()
    image.save(written, "JPEG", quality=88)
    written.seek(0)
    return ImageReader(written)
