"""Of an animation or a document the frames that show something different are chosen, within a bound."""

import time
from itertools import pairwise

import numpy as np
from PIL import Image, ImageDraw

from guardian.media.frames import DIFFERENT_FRAMES, DIFFERENT_PAGES, different, thumbnail_of
from tests.matching.pictures import noise, photograph

NAMES = ("astronaut", "coffee", "rocket", "chelsea", "china", "flower")
PHOTOGRAPHS = [Image.fromarray(photograph(name, 400)).resize((300, 200)) for name in NAMES]


def chosen(frames: list[Image.Image], most: int = 24, unlike: float = DIFFERENT_FRAMES) -> tuple[list[int], int]:
    thumbnails, areas = [thumbnail_of(frame) for frame in frames], [frame.width * frame.height for frame in frames]
    return different(thumbnails, areas, most, unlike)


def test_every_picture_of_a_slide_show() -> None:
    shown_for_three_frames = [picture for picture in PHOTOGRAPHS for _ in range(3)]
    assert chosen(shown_for_three_frames) == ([0, 3, 6, 9, 12, 15], 0)


def test_pictures_come_before_the_blends_between_them() -> None:
    frames = []
    for one, other in pairwise(PHOTOGRAPHS):
        frames += [Image.blend(one, other, step / 5) for step in range(5)]
    frames.append(PHOTOGRAPHS[-1])
    places, _ = chosen(frames, most=10)
    assert {0, 5, 10, 15, 20, 25} <= set(places)


def test_a_scene_that_hardly_moves_is_one_frame() -> None:
    generator = np.random.default_rng(1)
    still = np.asarray(PHOTOGRAPHS[0]).astype(int)
    grainy = [
        Image.fromarray((still + generator.normal(0, 8, still.shape)).clip(0, 255).astype(np.uint8)) for _ in "0123"
    ]
    moving = [
        PHOTOGRAPHS[0].transform((300, 200), Image.Transform.AFFINE, (1, 0, shift, 0, 1, 0)) for shift in range(5)
    ]
    for talking in moving[::2]:
        ImageDraw.Draw(talking).ellipse((140, 60, 160, 90), fill=(200, 120, 100))
    assert chosen([*grainy, *moving]) == ([0], 0)


def test_a_caption_that_changes_is_no_other_picture() -> None:
    frames = [picture.copy() for picture in (PHOTOGRAPHS[1],) * 3]
    for number, frame in enumerate(frames):
        ImageDraw.Draw(frame).text((20, 170), f"LINE {number}", fill="white")
    assert chosen(frames) == ([0], 0)


def test_pages_of_text_are_different() -> None:
    generator = np.random.default_rng(2)
    pages = []
    for _ in range(5):
        page = Image.new("1", (850, 1100), 1)
        draw = ImageDraw.Draw(page)
        for top in range(80, 1000, 24):
            left = 80
            while left < 740:
                width = int(generator.integers(10, 60))
                draw.rectangle((left, top, left + width, top + 10), fill=0)
                left += width + 8
        pages.append(page)
    assert chosen(pages, unlike=DIFFERENT_PAGES) == ([0, 1, 2, 3, 4], 0)


def test_the_largest_of_alike_pages_stands_for_them() -> None:
    small = [picture.resize((75, 50)) for picture in PHOTOGRAPHS[:2]]
    assert chosen([small[0], PHOTOGRAPHS[0], PHOTOGRAPHS[1], small[1]], unlike=DIFFERENT_PAGES) == ([1, 2], 0)


def test_the_bound_holds_and_what_is_over_it_is_counted() -> None:
    frames = [Image.fromarray(noise(seed, 32, 32)) for seed in range(30)]
    places, more = chosen(frames, most=24)
    assert (len(places), more) == (24, 6)
    assert chosen(frames[:1]) == ([0], 0)
    assert chosen([]) == ([], 0)


def test_what_is_light_on_transparency_is_told_apart() -> None:
    frames = []
    for place in range(3):
        frame = Image.new("RGBA", (200, 200), (255, 255, 255, 0))
        ImageDraw.Draw(frame).ellipse((20 + 60 * place, 40, 70 + 60 * place, 150), fill=(250, 250, 245, 255))
        frames.append(frame)
    assert chosen(frames) == ([0, 1, 2], 0)


def test_a_thousand_frames_take_little_time() -> None:
    thumbnails = [np.float32(noise(seed, 32, 32)[:, :, 0]) for seed in range(1000)]
    started = time.process_time()
    assert len(different(thumbnails, [1024] * 1000, 24)[0]) == 24
    assert time.process_time() - started < 2
