"""Pictures of one design: who filled in another form is not accused, and copies of a form are found all the same."""

from pathlib import Path

import numpy as np
import pytest

from guardian.evaluation import templates
from guardian.evaluation.attacks import resized
from guardian.matching.index.writer import IndexWriter
from guardian.matching.matcher import Matcher
from guardian.matching.settings import MatchingSettings
from tests.matching.pictures import Pixels, encoded

KINDS = ("calendar", "form", "certificate", "sheet_music", "chess_diagram", "score_card")
PROTECTED, OTHERS = 2, 4
ALERTED, REVIEWED = 0.95, 0.6
"""From here on the shipped rules alert, and ask a person."""


def made(kind: str) -> list[Pixels]:
    """The first PROTECTED of them are protected."""
    return templates.make(kind, np.random.default_rng(20260101), PROTECTED + OTHERS)


@pytest.fixture(scope="module")
def matcher(tmp_path_factory: pytest.TempPathFactory) -> Matcher:
    folder: Path = tmp_path_factory.mktemp("index")
    matcher = Matcher(MatchingSettings(), None, folder)
    pictures = [(f"{kind} {number}", made(kind)[number]) for kind in KINDS for number in range(PROTECTED)]
    entries = [
        (number, name, matcher.fingerprint(encoded(picture, "PNG")))
        for number, (name, picture) in enumerate(pictures, start=1)
    ]
    IndexWriter(folder / matcher.recipe, matcher.recipe).publish(entries)
    return matcher


@pytest.mark.parametrize("kind", KINDS)
def test_another_of_the_design_is_not_alerted(matcher: Matcher, kind: str) -> None:
    loudest = []
    for picture in made(kind)[PROTECTED:]:
        matches = matcher.match(encoded(picture)).matches
        loudest.append(max((match.comparison.probability for match in matches), default=0.0))
    assert len(loudest) == OTHERS
    assert max(loudest) < ALERTED


@pytest.mark.parametrize("kind", KINDS)
def test_a_copy_of_it_is_found_and_named_first(matcher: Matcher, kind: str) -> None:
    for number, picture in enumerate(made(kind)[:PROTECTED]):
        height, width = picture.shape[:2]
        for copy in (encoded(picture, quality=60), encoded(resized(picture, 0.7 * width, 0.7 * height), quality=85)):
            best = matcher.match(copy).matches[0]
            assert best.asset_id == f"{kind} {number}"
            assert best.comparison.probability >= REVIEWED
