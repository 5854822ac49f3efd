"""The same works, strangers and seed are asked the same; one more asset changes little."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from guardian.evaluation.questions import MOST_STRANGERS, Kind, plan, sampled
from guardian.model import Asset, AssetState


def asset(number: int, work: str | None = None) -> Asset:
    id_ = f"asset_{number:04}"
    return Asset(
        id=id_, number=number, title=f"Title {number}", collection="press", path=f"/{id_}.jpg", sha256="0" * 64,
        width=600, height=400, added_at=datetime(2026, 1, 1, tzinfo=UTC), work_id=work or f"work_{number}",
        state=AssetState.PROTECTED,
    )  # fmt: skip


def test_the_order_of_assets_does_not_matter() -> None:
    assets = [asset(number) for number in range(30)]
    assert sampled(assets, 8, seed=1) == sampled(assets[::-1], 8, seed=1)
    assert sampled(assets, 8, seed=1) != sampled(assets, 8, seed=2)


def test_one_more_asset_changes_one_work_of_the_sample_at_most() -> None:
    assets = [asset(number) for number in range(30)]
    before, after = ({one.id for one in sampled(some, 8, 1)} for some in (assets, [*assets, asset(99)]))
    assert len(before & after) >= 7


def test_a_work_is_drawn_once_by_its_first_version() -> None:
    assets = [asset(number, "work_same") for number in range(5)]
    assert sampled(assets, 8, seed=1) == assets[:1]


def test_each_work_is_asked_in_all_ways_and_each_stranger_twice() -> None:
    assets = [asset(1), asset(2)]
    paths = {one.id: Path(one.path) for one in assets}
    questions = plan(assets, paths, [Path("/b.jpg"), Path("/a.jpg")], ["crop10", "negative"], seed=1)
    assert [one.kind for one in questions] == [Kind.ORIGINAL, Kind.COPY, Kind.COPY] * 2 + [Kind.STRANGER] * 4
    assert len({one.id for one in questions}) == len(questions)
    assert len({one.seed for one in questions if one.kind is Kind.COPY}) == 4
    again = plan(assets, paths, [Path("/a.jpg"), Path("/b.jpg")], ["crop10", "negative"], seed=1)
    assert again == questions
    assert plan(assets, paths, [], ["crop10"], seed=2)[1].seed != questions[1].seed


def test_of_many_strangers_some_are_drawn() -> None:
    many = [Path(f"/{number}.jpg") for number in range(MOST_STRANGERS + 50)]
    questions = plan([], {}, many, ["crop10"], seed=1)
    assert len(questions) == 2 * MOST_STRANGERS
    assert plan([], {}, many[::-1], ["crop10"], seed=1) == questions


def test_versions_of_other_works_do_not_hide_each_other() -> None:
    one, other = asset(1), replace(asset(2), work_id="work_9")
    assert sampled([one, other], 5, 1) == [one, other]
