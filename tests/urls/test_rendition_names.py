"""Which addresses that a page connects are one picture."""

import pytest

from guardian.urls.rendition_names import are_renditions, rendition_rank

HERE = "https://a.example/"
BESIDE = [
    ("p/hero-1600.jpg", "p/hero-800.jpg"),
    ("p/hero-800.jpg", "p/hero.jpg"),
    ("p/hero.avif", "p/hero.jpg"),
    ("p/small/mug.jpg", "p/large/mug.jpg"),
    ("p/mug_thumb.jpg", "p/mug.jpg"),
    ("p/mug@2x.jpg", "p/mug.jpg"),
    ("p/mug-l.jpg", "p/mug-s.jpg"),
]
LINKED = [
    ("big/IMG_20.jpg", "thumbs/IMG_20.jpg"),
    ("user_upload/harbour.jpg", "_processed_/a/b/csm_harbour_1a2b3c4d5e.jpg"),
    ("k2/cache/0a1b2c3d4e5f_XL.jpg", "k2/cache/0a1b2c3d4e5f_M.jpg"),
    ("albums/normal_boat.jpg", "albums/thumb_boat.jpg"),
]
DISTRACTORS = [
    ("p/front/mug.jpg", "p/back/mug.jpg"),
    ("p/DSC_1234.jpg", "p/DSC_1235.jpg"),
    ("p/IMG_0100.jpg", "p/IMG_0200.jpg"),
    ("p/shot-1001.jpg", "p/shot-2002.jpg"),
    ("p/slide-1.jpg", "p/slide-2.jpg"),
    ("p/mug-front.jpg", "p/mug-back.jpg"),
    ("p/mug.jpg", "p/mug-back.jpg"),
    ("p/portrait.jpg", "p/landscape.jpg"),
    ("p/img_0a1b2c3d.jpg", "p/img_ffee0011.jpg"),
    ("p/small.jpg", "p/large.jpg"),
    ("pic/1", "pic/2"),
    ("p.php?id=1", "p.php?id=2"),
]


@pytest.mark.parametrize(("one", "other"), BESIDE)
def test_names_that_differ_in_size_alone(one: str, other: str) -> None:
    assert are_renditions(HERE + one, HERE + other)
    assert are_renditions(HERE + other, HERE + one)


@pytest.mark.parametrize(("one", "other"), LINKED)
def test_what_links_to_its_larger_self(one: str, other: str) -> None:
    assert are_renditions(HERE + one, HERE + other, is_link=True)


@pytest.mark.parametrize(("one", "other"), DISTRACTORS)
def test_other_pictures(one: str, other: str) -> None:
    assert not are_renditions(HERE + one, HERE + other)


@pytest.mark.parametrize(("one", "other"), [pair for pair in DISTRACTORS if "/mug.jpg" not in pair[0]])
def test_a_link_alone_makes_no_kin(one: str, other: str) -> None:
    assert not are_renditions(HERE + one, HERE + other, is_link=True)


@pytest.mark.parametrize(
    ("larger", "smaller"),
    [
        ("hero-1600.jpg", "hero-800.jpg"),
        ("mug@2x.jpg", "mug.jpg"),
        ("large/mug.jpg", "small/mug.jpg"),
        ("mug.jpg", "mug-300x200.jpg"),
        ("mug.jpg", "mug_t.jpg"),
    ],
)
def test_the_larger_ranks_higher(larger: str, smaller: str) -> None:
    assert rendition_rank(HERE + larger) > rendition_rank(HERE + smaller)
