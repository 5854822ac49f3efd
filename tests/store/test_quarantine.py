"""What is kept of images whose worker was lost."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from guardian.model import QuarantinedImage, SkipReason
from guardian.store import Store

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
IMAGE = QuarantinedImage(
    "a" * 64, "https://a.example/i.jpg", SkipReason.CRASHED, "it crashed", 1, 2, NOON, NOON + timedelta(minutes=10)
)


def test_the_last_attempt_is_kept_for_each_recipe(store: Store) -> None:
    again = replace(IMAGE, reason=SkipReason.WORKER_KILLED, attempts=2, detail="said \x00", failed_at=NOON)
    with store.begin() as tx:
        tx.quarantine.put(IMAGE, "r1")
        tx.quarantine.put(IMAGE, "r2")
        tx.quarantine.put(again, "r1")
    with store.read() as tx:
        assert tx.quarantine.known(IMAGE.sha256, "r1") == replace(again, detail="said ")
        assert tx.quarantine.known(IMAGE.sha256, "r2") == IMAGE
        assert tx.quarantine.known("b" * 64, "r1") is None


def test_they_are_listed_latest_first_and_freed_under_every_recipe(store: Store) -> None:
    later = replace(IMAGE, sha256="b" * 64, failed_at=NOON + timedelta(hours=1))
    with store.begin() as tx:
        for image in (IMAGE, later):
            tx.quarantine.put(image, "r1")
        tx.quarantine.put(IMAGE, "r2")
    with store.begin() as tx:
        assert tx.quarantine.list("r1") == [later, IMAGE]
        assert tx.quarantine.free([IMAGE.sha256, "c" * 64]) == 1
        assert (tx.quarantine.list("r1"), tx.quarantine.list("r2")) == ([later], [])


def test_those_of_another_recipe_are_forgotten_after_a_while(store: Store) -> None:
    with store.begin() as tx:
        tx.quarantine.put(IMAGE, "r1")
        tx.quarantine.put(IMAGE, "r2")
        tx.quarantine.forget_other_recipes("r2", NOON)
        assert len(tx.quarantine.list("r1")) == 1
        tx.quarantine.forget_other_recipes("r2", NOON + timedelta(days=1))
        assert (tx.quarantine.list("r1"), tx.quarantine.list("r2")) == ([], [IMAGE])


def test_three_failures_set_an_image_aside() -> None:
    assert [replace(IMAGE, failures=number).is_set_aside for number in (0, 2, 3, 4)] == [False, False, True, True]
