"""Remembered pictures as rows, written by several scans at once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from guardian.model import DescribedPicture, NewlySeen
from guardian.store import Store

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ROUNDS = 10


def met(sha256: str, page: str) -> NewlySeen:
    page_url, image_url = f"https://shop.example/{page}", f"https://shop.example/{sha256}.jpg"
    described = DescribedPicture("JPEG", b"fingerprint")
    return NewlySeen(sha256, 8, 6, None, image_url, page_url, "shop", NOON, described=described)


def test_scans_that_meet_the_same_pictures_at_once_never_wait_for_each_other_in_a_circle(store: Store) -> None:
    logos = ("4" * 64, "5" * 64)
    with store.begin() as tx:
        tx.labels.follow_vocabulary("words")
        tx.newly_seen.remember([met(logo, "") for logo in logos], "recipe", "folder")
    start = threading.Barrier(3, timeout=60)

    def scan(side: str) -> None:
        for turn in range(ROUNDS):
            start.wait()
            # A stranger that is written before, or after, the pictures that both of them meet.
            stranger = f"{side}{turn}".ljust(64, "0")
            with store.begin() as tx:
                tx.newly_seen.remember(
                    [met(sha256, f"{side}/{turn}") for sha256 in (*logos, stranger)], "recipe", "folder"
                )

    def label() -> None:
        for _ in range(ROUNDS):
            start.wait()
            with store.begin() as tx:
                waiting = tx.labels.unlabelled(100, has_words=False)
                tx.labels.note_words([picture.id for picture in reversed(waiting)], is_all=True)

    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(scan, "1"), pool.submit(scan, "9"), pool.submit(label)]:
            done.result()
    with store.read() as tx:
        assert tx.seen_counts.pictures() == 2 + 2 * ROUNDS
