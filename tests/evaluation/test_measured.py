"""What a seed teaches is the same wherever its pictures lie, and is read as it was kept."""

from pathlib import Path

import numpy as np
import pytest

from guardian.errors import UsageError
from guardian.evaluation import measured
from guardian.evaluation.measured import Measured, Pair
from guardian.evaluation.picture_file import PictureFile
from guardian.matching.verify.confidence import FEATURES


def test_pictures_in_a_file_are_the_same(tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    made = [generator.integers(0, 256, (height, 30, 3), dtype=np.uint8) for height in (1, 20, 300)]
    file = PictureFile(tmp_path, bytes_of_file=4_000)
    kept = [file.keep(picture) for picture in made]
    assert all(np.array_equal(one, other) for one, other in zip(kept, made, strict=True))
    assert [path.stat().st_size for path in sorted(tmp_path.iterdir())] == [4_000, 27_000]


def test_what_was_measured_is_read_as_it_was_kept(tmp_path: Path) -> None:
    rows = np.random.default_rng(2).uniform(0, 1, (3, len(FEATURES)))
    pairs = tuple(
        Pair(row, query == 2, ("crop20", "ninth", "meme")[query], 7, query)
        for row, query in zip(rows, (0, 2, 2), strict=True)
    )
    made = Measured(5, ("crop20", "ninth", "meme"), pairs)
    measured.save(made, tmp_path / "seed-5.npz")
    again = measured.load(tmp_path / "seed-5.npz")
    assert (again.seed, again.edits) == (made.seed, made.edits)
    assert [(one.is_copy, one.edit, one.group, one.query) for one in again.pairs] == [
        (one.is_copy, one.edit, one.group, one.query) for one in pairs
    ]
    assert np.array_equal([one.features for one in again.pairs], rows)
    assert [path.name for path in tmp_path.iterdir()] == ["seed-5.npz"]


def test_pairs_of_other_features_are_refused(tmp_path: Path) -> None:
    measured.save(Measured(5, (), ()), tmp_path / "seed-5.npz")
    with np.load(tmp_path / "seed-5.npz") as saved:
        earlier = dict(saved) | {"names": saved["names"][:-1]}
    np.savez(tmp_path / "seed-5.npz", **earlier)
    with pytest.raises(UsageError, match=r"seed-5\.npz holds other features"):
        measured.load(tmp_path / "seed-5.npz")


@pytest.mark.parametrize(
    ("edit", "held_out_with"),
    [
        ("design_map_tile", "design map_tile"),
        ("of_design_map_tile", "design map_tile"),
        ("quarter_of_design_map_tile", "design map_tile"),
        ("crop20", "picture 7"),
        ("distractor_None", "picture 7"),
    ],
)
def test_designs_of_a_kind_are_held_out_together_and_others_with_their_picture(edit: str, held_out_with: str) -> None:
    assert Pair(np.zeros(1), False, edit, 7, 0).held_out_with == held_out_with
