"""Balls, planets, coins: a round edge looks the same all the way round, so its keypoints agree with any other's."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from guardian.evaluation.designs import objects
from guardian.evaluation.designs.sheet import artwork
from guardian.evaluation.measured import as_decoded, matcher_of
from guardian.evaluation.pictures import Picture, recompressed
from guardian.matching.matcher import Matcher
from guardian.matching.verify import confidence

DESIGNS, OF_EACH = 12, 5
ALERTED = 0.95

PAINTED, UNLIKE = 7.0, 0.6
"""Deviation in greys from which a ball shows more than its light, and correlation below which two show other things."""


def surface(picture: Picture) -> NDArray[np.float64]:
    """Return the greys in the middle of a ball without its light."""
    grey = cv2.cvtColor(cv2.resize(picture, (96, 96)), cv2.COLOR_RGB2GRAY).astype(np.float64)
    return np.asarray(grey - cv2.GaussianBlur(grey, (0, 0), 6))[24:-24, 24:-24].ravel()


def test_few_round_things_are_taken_for_others(tmp_path: Path) -> None:
    """Balls of one size in one light, painted in other ways; trees that knew no such things alerted a third of them."""
    fitted = confidence.fitted()

    def stated(matcher: Matcher, picture: Picture) -> float:
        return max((fitted.probability(pair.features) for pair in matcher.compared(as_decoded(picture))), default=0)

    strangers = accused = protected = found = 0
    for seed in range(900, 900 + DESIGNS):
        generator = np.random.default_rng(seed)
        draw = objects.ball(generator)
        balls = [draw(own, artwork(own)) for own in generator.spawn(OF_EACH)]
        mine, *others = (ball for ball in balls if surface(ball).std() >= PAINTED)
        matcher = matcher_of([mine], tmp_path / str(seed))

        protected += 1
        found += stated(matcher, recompressed(mine, 70)) >= ALERTED
        for other in others:
            if np.corrcoef(surface(mine), surface(other))[0, 1] < UNLIKE:
                strangers += 1
                accused += stated(matcher, other) >= ALERTED

    assert strangers >= 2 * DESIGNS
    assert accused <= strangers / 5
    assert found >= protected - 1
