"""Named, seeded edits that copies on the web go through, in three families; all are applied from here.

All pictures are uint8 [h, w, 3] sRGB; every edit draws its strength from the generator that it is given.
"""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from guardian.evaluation import subject_edits, tone_edits, wild_edits
from guardian.evaluation.pictures import Edit, Picture, cropped, pixels_of, recompressed, resized, shrunk
from guardian.evaluation.standard_edits import (
    as_meme,
    blurred,
    in_collage,
    in_perspective,
    in_screenshot,
    large,
    noisy,
    padded,
    pasted,
    recoloured,
    relit,
    sharpened_or_pixelated,
    sign,
    stretched,
    turned,
    with_stickers,
    with_stripes,
    with_text,
)

__all__ = [
    "EDITS",
    "HARD",
    "STANDARD",
    "WILD",
    "Edit",
    "Picture",
    "apply",
    "as_meme",
    "cropped",
    "in_collage",
    "in_perspective",
    "in_screenshot",
    "padded",
    "pasted",
    "recoloured",
    "recompressed",
    "relit",
    "resized",
    "sharpened_or_pixelated",
    "shrunk",
    "stacked",
    "stretched",
    "turned",
    "with_stickers",
    "with_stripes",
    "with_text",
]


def apply(name: str, picture: Picture, generator: np.random.Generator, others: Sequence[Picture]) -> Picture:
    """Apply one edit by its name, and save as a JPEG of common quality as the web does.

    `others`: at least nine pictures. Raises NotRecognisable when what is left would be no copy (WILD only).
    """
    edited = EDITS[name](np.ascontiguousarray(picture), generator, others)
    return recompressed(np.ascontiguousarray(edited), int(generator.integers(70, 96)))


def stacked(picture: Picture, generator: np.random.Generator, others: Sequence[Picture], count: int) -> Picture:
    """Apply several standard edits one after the other; at most one that puts the picture into another comes last."""
    names = [str(name) for name in generator.choice([n for n in STANDARD if n not in _NOT_STACKED], count, False)]
    outer = [name for name in names if name in ("screenshot", "onto_bg")][:1]
    for name in [name for name in names if name not in ("screenshot", "onto_bg")] + outer:
        if min(picture.shape[:2]) < 60:
            break
        picture = np.ascontiguousarray(STANDARD[name](picture, generator, others))
    return picture


STANDARD: dict[str, Edit] = {
    "jpeg10_30": lambda p, g, o: recompressed(p, int(g.integers(10, 31))),
    "down128": lambda p, g, o: shrunk(p, 128),
    "grayscale": lambda p, g, o: pixels_of(Image.fromarray(p).convert("L")),
    "hflip": lambda p, g, o: p[:, ::-1],
    "vflip": lambda p, g, o: p[::-1],
    "rot90": lambda p, g, o: np.rot90(p, int(g.choice([1, 3]))),
    "rot5_15": lambda p, g, o: turned(p, g, g.uniform(5, 15) * sign(g)),
    "rot20_45": lambda p, g, o: turned(p, g, g.uniform(20, 45) * sign(g)),
    "crop70": lambda p, g, o: cropped(p, g, 0.7),
    "crop40": lambda p, g, o: cropped(p, g, 0.4),
    "crop20": lambda p, g, o: cropped(p, g, 0.2),
    "pad": lambda p, g, o: padded(p, g),
    "perspective": lambda p, g, o: in_perspective(p, g),
    "stretch": lambda p, g, o: stretched(p, g),
    "blur": lambda p, g, o: blurred(p, g),
    "noise": lambda p, g, o: noisy(p, g),
    "sharpen_pixelate": lambda p, g, o: sharpened_or_pixelated(p, g),
    "hue_filter": lambda p, g, o: recoloured(p, g),
    "bright_contr_sat": lambda p, g, o: relit(p, g),
    "overlay_text": lambda p, g, o: with_text(p, g),
    "overlay_emoji": lambda p, g, o: with_stickers(p, g),
    "overlay_stripes": lambda p, g, o: with_stripes(p, g),
    "meme": lambda p, g, o: as_meme(p, g),
    "onto_bg": lambda p, g, o: pasted(p, o[0], g),
    "collage2x2": lambda p, g, o: in_collage(p, o, g, 2),
    "screenshot": lambda p, g, o: in_screenshot(p, g),
    "combo": lambda p, g, o: stacked(p, g, o, int(g.integers(2, 4))),
}
"""Edits that a good system finds nearly always."""

_NOT_STACKED = ("combo", "collage2x2")

HARD: dict[str, Edit] = {
    "crop10": lambda p, g, o: cropped(p, g, 0.1),
    "mirror_crop30": lambda p, g, o: cropped(p[:, ::-1], g, 0.3),
    "bg_small": lambda p, g, o: pasted(p, large(o[0], g), g, 0.05, 0.12),
    "collage3x3": lambda p, g, o: in_collage(p, o, g, 3),
    "combo_hard": lambda p, g, o: stacked(p, g, o, 5),
}
"""Edits at the edge of what can be found."""

WILD: dict[str, Edit] = {
    "negative": lambda p, g, o: 255 - p,
    "film_negative": lambda p, g, o: tone_edits.film_negative(p, g),
    "luminance_inverted": lambda p, g, o: tone_edits.luminance_inverted(p, g),
    "half_inverted": lambda p, g, o: tone_edits.half_inverted(p, g),
    "subject_on_dark": lambda p, g, o: subject_edits.on_dark(p, g),
    "in_letters": lambda p, g, o: wild_edits.in_letters(p, o[0], g),
    "pencil_sketch": lambda p, g, o: tone_edits.pencil_sketch(p, g),
    "cut_out": lambda p, g, o: subject_edits.cut_out(p, o[0], g),
    "ninth": lambda p, g, o: wild_edits.ninth(p, g),
    "double_exposure": lambda p, g, o: tone_edits.double_exposed(p, o[0], g),
    "hero_strip": lambda p, g, o: wild_edits.hero_strip(p, g),
    "full_width_strip": lambda p, g, o: wild_edits.full_width_strip(p, g),
    "half_mirrored": lambda p, g, o: wild_edits.half_mirrored(p, g),
    "on_mug": lambda p, g, o: wild_edits.on_mug(p, o[0], g),
    "on_cloth": lambda p, g, o: wild_edits.on_cloth(p, g),
    "in_circle": lambda p, g, o: wild_edits.in_circle(p, g),
    "quote_card": lambda p, g, o: wild_edits.quote_card(p, g),
    "faded_under_text": lambda p, g, o: wild_edits.faded_under_text(p, g),
    "thumbnail": lambda p, g, o: wild_edits.thumbnail(p, g),
    "slide": lambda p, g, o: wild_edits.slide(p, g),
    "among_panels": lambda p, g, o: wild_edits.strip_of_panels([*o[:3], p, *o[3:6]], g),
}
"""Edits as people make them on the web; `negative` to `subject_on_dark` turn tones round."""

EDITS = STANDARD | HARD | WILD
