"""What stands first, by each aspect, among drawings that differ in one thing at a time."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from guardian.errors import UsageError
from guardian.matching.features.appearance import appearance_of
from guardian.matching.settings import MatchingSettings
from guardian.search.aspects import Aspect
from guardian.search.colours import scores_of, wanted_colour
from guardian.search.question import By, CopyFact, Found, Kind, Question, Ranking
from guardian.search.ranking import rank
from guardian.search.reasons import why
from guardian.search.rows import AssetRows
from guardian.search.views_of_query import without_borders

RED, GREEN, BLUE, GREY = (200, 30, 30), (20, 130, 40), (20, 40, 170), (120, 120, 120)
Colour = tuple[int, int, int]


def _drawn(colour: Colour, shape: str, place: int = 0) -> NDArray[np.uint8]:
    picture = np.full((160, 200, 3), 250, dtype=np.uint8)
    centre = (100 + place, 80)
    if shape == "disc":
        cv2.circle(picture, centre, 55, colour, -1)
    elif shape == "bars":
        for left in range(20, 180, 24):
            cv2.rectangle(picture, (left + place, 20), (left + 10 + place, 140), colour, -1)
    else:
        cv2.ellipse(picture, centre, (90, 16), 30, 0, 360, colour, -1)
    return picture


PICTURES = [
    _drawn(RED, "disc"),
    _drawn(GREEN, "disc"),
    _drawn(RED, "bars"),
    _drawn(BLUE, "bars"),
    _drawn(RED, "leaf"),
    _drawn(GREEN, "leaf", 8),
]
RED_DISC, GREEN_DISC, RED_BARS, BLUE_BARS, RED_LEAF, GREEN_LEAF = range(1, 7)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six drawings, numbered from 1."""
    folder = tmp_path_factory.mktemp("data")
    AssetRows(folder).publish([(number + 1, appearance_of(one).values) for number, one in enumerate(PICTURES)])
    return folder


Asking = Callable[..., Ranking]


@pytest.fixture
def ask(data_dir: Path) -> Asking:
    """A function that asks with a picture, or without one."""

    def asked(rgb: NDArray[np.uint8] | None = None, **more: object) -> Ranking:
        content = _png(rgb) if rgb is not None else None
        given: dict[str, Any] = {"among": {Kind.ASSET: None}} | more
        return rank(MatchingSettings(), Question(data_dir, "none", content=content, **given))

    return asked


def _png(rgb: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))[1].tobytes()


def _order(ranking: Ranking) -> list[int]:
    return [one.key[1] for one in ranking.found]


def _score(found: tuple[Found, ...], number: int) -> float:
    return next(one.score for one in found if one.key[1] == number)


def test_each_aspect_puts_first_what_shares_it(ask: Asking) -> None:
    new = _drawn(RED, "disc", 6)

    assert set(_order(ask(new, by=By.COLOUR))[:3]) == {RED_DISC, RED_BARS, RED_LEAF}
    assert set(_order(ask(new, by=By.SHAPE))[:2]) == {RED_DISC, GREEN_DISC}
    for by in (By.LOOK, By.AUTO, By.TEXTURE):
        assert _order(ask(new, by=by))[0] == RED_DISC
    assert ask(new).searched == {Kind.ASSET: 6}


def test_a_mirror_image_and_a_letterbox_do_not_hide_anything(ask: Asking) -> None:
    mirrored = np.ascontiguousarray(PICTURES[RED_LEAF - 1][:, ::-1])
    boxed = cv2.copyMakeBorder(PICTURES[BLUE_BARS - 1], 40, 40, 0, 0, cv2.BORDER_CONSTANT, value=(0, 0, 0))

    assert _order(ask(mirrored, by=By.SHAPE))[0] in (RED_LEAF, GREEN_LEAF)
    assert _order(ask(boxed, by=By.COLOUR))[0] == BLUE_BARS
    assert without_borders(np.asarray(boxed, dtype=np.uint8)).shape[0] <= 160
    blank = np.full((50, 60, 3), 7, dtype=np.uint8)
    assert without_borders(blank).shape == blank.shape
    halves = np.concatenate([blank, np.full_like(blank, 200)])
    assert without_borders(halves).shape == halves.shape


def test_the_margin_of_a_figure_is_no_border_and_bars_around_it_are() -> None:
    figure = np.full((120, 160, 3), 255, dtype=np.uint8)
    cv2.ellipse(figure, (70, 60), (40, 30), 0, 0, 360, (200, 40, 30), -1)
    boxed = np.pad(figure, ((20, 20), (0, 0), (0, 0)))
    framed = np.pad(
        np.full((60, 80, 3), (90, 140, 30), dtype=np.uint8), ((10, 10), (10, 10), (0, 0)), constant_values=255
    )
    framed[10:70:2, 10:90] //= 2

    assert without_borders(figure).shape == figure.shape
    assert np.array_equal(without_borders(boxed), figure)
    night = np.random.default_rng(0).integers(60, 200, (90, 160, 3)).astype(np.uint8)
    night[0, :100] = 0
    assert np.array_equal(without_borders(np.pad(night, ((20, 20), (0, 0), (0, 0)))), night), "its sky is as black"
    assert without_borders(framed).shape == (60, 80, 3)


def test_filters_and_what_is_left_out_never_come(ask: Asking) -> None:
    among = {Kind.ASSET: np.array([GREEN_DISC, BLUE_BARS, RED_BARS])}
    answer = ask(PICTURES[0], among=among, left_out=frozenset({(Kind.ASSET, RED_BARS)}))

    assert set(_order(answer)) == {GREEN_DISC, BLUE_BARS}
    assert answer.searched == {Kind.ASSET: 2}
    assert len(ask(PICTURES[0], top=2).found) == 2


def test_a_region_is_searched_with_instead_of_the_whole(ask: Asking) -> None:
    both = np.concatenate([PICTURES[RED_DISC - 1], PICTURES[BLUE_BARS - 1]], axis=1)

    assert _order(ask(both, region=(200, 0, 200, 160)))[0] == BLUE_BARS
    assert _order(ask(both, region=(0, 0, 200, 160)))[0] == RED_DISC
    with pytest.raises(UsageError, match="400 x 160"):
        ask(both, region=(300, 0, 200, 160))


def test_much_of_one_colour_is_better_than_traces_of_all() -> None:
    much = _drawn(RED, "disc")
    much[:2, :2] = BLUE
    traces = np.full((160, 200, 3), 250, dtype=np.uint8)
    traces[:6, :6], traces[:6, 20:26] = RED, BLUE
    lacking = _drawn(RED, "disc")
    wanted = [wanted_colour("#c81e1e"), wanted_colour("#1428aa:40%")]

    rows = np.stack([appearance_of(one).values for one in (much, traces, lacking)])
    scores, shares = scores_of(rows, wanted)
    assert scores[0] > scores[1] > scores[2] == 0
    assert shares[1, 0] < shares[1, 1] < 0.01

    alone, _ = scores_of(rows, wanted[:1])
    assert np.allclose(alone, shares[0] / (shares[0] + 0.25))


def test_colours_alone_and_their_shares(ask: Asking) -> None:
    found = ask(None, colours=(wanted_colour("#141eaa"),)).found
    assert _order(ask(None, colours=(wanted_colour("blue"), wanted_colour("white:60%"))))[:1] == [BLUE_BARS]
    assert found[0].key[1] == BLUE_BARS
    (share,) = found[0].colour_shares
    assert 0.1 < share < 0.7
    two = (wanted_colour("#141eaa"), wanted_colour(" White:60%"))
    both = ask(None, colours=two).found[0]
    assert both.key[1] == BLUE_BARS
    assert re.fullmatch(r"\d\d % #141eaa and \d\d % White", why(both, By.AUTO, two))

    few = _order(ask(None, colours=(wanted_colour("#c81e1e:10%"),)))
    much = _order(ask(None, colours=(wanted_colour("#c81e1e:40%"),)))
    assert few[0] == RED_LEAF, "a thin leaf covers the least"
    assert much[0] == RED_DISC
    for wrong in ("reddish", "#12", "navy:0%", "navy:120%", "navy:x"):
        with pytest.raises(UsageError, match="colour '"):
            wanted_colour(wrong)


def test_colours_and_words_choose_together(ask: Asking) -> None:
    asked = {"by": By.COLOUR, "words": {(Kind.ASSET, RED_BARS): 1.0, (Kind.ASSET, GREEN_LEAF): 1.0}}

    assert set(_order(ask(PICTURES[0], **asked))) == {RED_BARS, GREEN_LEAF}
    assert _order(ask(PICTURES[0], **asked, colours=(wanted_colour("#c81e1e"),))) == [RED_BARS], "no other red one"


def test_colours_choose_also_among_what_is_not_nearest(tmp_path: Path) -> None:
    green, red = (appearance_of(PICTURES[number - 1]).values for number in (GREEN_DISC, RED_BARS))
    AssetRows(tmp_path).publish([(number, green) for number in range(1, 301)] + [(301, red)])

    content = _png(PICTURES[GREEN_DISC - 1])
    question = Question(tmp_path, "none", {Kind.ASSET: None}, content, by=By.LOOK, colours=(wanted_colour("#c81e1e"),))
    assert _order(rank(MatchingSettings(), question)) == [301]


def test_an_animation_does_not_take_the_place_of_other_pictures(tmp_path: Path) -> None:
    disc = appearance_of(PICTURES[0]).values
    others = [(number, appearance_of(_drawn(RED, "disc", number)).values) for number in range(10, 40)]
    AssetRows(tmp_path).publish([(number, disc) for number in range(1, 10) for _ in range(24)] + others)

    question = Question(tmp_path, "none", {Kind.ASSET: None}, _png(PICTURES[0]), by=By.LOOK, top=20)
    found = _order(rank(MatchingSettings(), question))
    assert found[:9] == list(range(1, 10))
    assert len(found) == 20


def test_examples_move_the_question(ask: Asking) -> None:
    liked = ask(PICTURES[0], like=((Kind.ASSET, BLUE_BARS),), by=By.SHAPE).found
    plain = ask(PICTURES[0], by=By.SHAPE).found
    unlike = _order(ask(PICTURES[0], unlike=((Kind.ASSET, GREEN_DISC),), by=By.COLOUR))

    assert _score(liked, RED_BARS) > _score(plain, RED_BARS) + 0.2
    assert unlike[-1] in (GREEN_DISC, GREEN_LEAF)
    assert _order(ask(None, like=((Kind.ASSET, RED_BARS),)))[0] == RED_BARS
    with pytest.raises(UsageError, match="example"):
        ask(PICTURES[0], like=((Kind.ASSET, 77),))


def test_a_copy_stands_first_however_it_looks_and_reasons_say_so(ask: Asking) -> None:
    copies = {(Kind.ASSET, BLUE_BARS): CopyFact(0.98, "crop of 40 %")}
    first, second, *_ = ask(_drawn(RED, "disc", 6), copies=copies).found

    assert first.key == (Kind.ASSET, BLUE_BARS)
    assert why(first, By.AUTO) == "copy: crop of 40 %"
    by_chance, doubtful = (replace(first, copy=CopyFact(sure, "crop of 1 %")) for sure in (0.002, 0.3))
    assert why(by_chance, By.COPY) == "hardly a copy (<1 % sure)"
    assert why(doubtful, By.COPY) == "perhaps a copy (30 % sure): crop of 1 %"
    assert second.key == (Kind.ASSET, RED_DISC)
    assert "colours" in why(second, By.AUTO)


def test_what_has_nothing_in_common_is_said_to_have_nothing(ask: Asking) -> None:
    recoloured = ask(_drawn(BLUE, "disc"), by=By.SHAPE).found[0]
    assert recoloured.alike[Aspect.SHAPE] > recoloured.alike[Aspect.COLOUR]
    assert why(recoloured, By.SHAPE) == "same composition and texture, other colours"
    noise = np.random.default_rng(0).integers(0, 256, (120, 120, 3)).astype(np.uint8)
    assert why(ask(noise).found[-1], By.AUTO) == "little in common"
    alike = dict.fromkeys((Aspect.COLOUR, Aspect.SHAPE, Aspect.TEXTURE), 0.0)
    as_a_whole = Found((Kind.ASSET, 1), 0.5, {Aspect.LOOK: 0.5, **alike})
    assert why(as_a_whole, By.AUTO) == "alike as a whole, with other colours, composition and texture"
