"""Lists the edits that the demo's site has made to the pictures: guardian's own attacks, named in plain words."""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from guardian.evaluation import attacks


@dataclass(frozen=True)
class Edit:
    """One way to change a picture. `attacks` are applied in turn; `quality` is that of the final JPEG."""

    name: str
    attacks: tuple[str, ...]
    quality: int = 85

    def make(self, picture: Image.Image, other: Image.Image, seed: int) -> tuple[bytes, str]:
        """Return the edited picture as JPEG bytes, and the file suffix. It may be pasted into `other`."""
        random = np.random.default_rng(seed)
        pixels, others = np.asarray(picture), [np.asarray(other)]
        for name in self.attacks:
            pixels = attacks.apply(name, pixels, random, others)
        out = io.BytesIO()
        Image.fromarray(pixels).save(out, "JPEG", quality=self.quality)
        return out.getvalue(), ".jpg"


EDITS = (
    Edit("recompressed", ("jpeg10_30",), quality=40),
    Edit("mirrored", ("hflip",)),
    Edit("shrunk to 128 px", ("down128",)),
    Edit("cropped to 40 %", ("crop40",)),
    Edit("captioned", ("overlay_text",)),
    Edit("turned by 5-15°", ("rot5_15",)),
    Edit("made a meme", ("meme",)),
    Edit("pasted into another", ("onto_bg",)),
    Edit("turned by 90°", ("rot90",)),
    Edit("cropped, mirrored", ("crop70", "hflip")),
    Edit("in a screenshot", ("screenshot",)),
    Edit("grey, captioned", ("grayscale", "overlay_text")),
    Edit("other colours", ("hue_filter",)),
    Edit("framed, recompressed", ("pad", "jpeg10_30")),
)
