"""How quick the search by words is among made-up places: captions of words as common as words of a language are."""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import insert

from guardian.model import Context
from guardian.store import Store
from guardian.store.connecting import connect
from guardian.store.seen_tables import seen_addresses, seen_pictures
from guardian.store.words import Words

_AT_A_TIME = 2_000
_VOCABULARY = 50_000
_SIGNS = "山水日月花鳥風雪春夏秋冬海空雨雲星石木林森川島道京都東西南北大小新古赤青白黒金銀人心手目口耳犬猫馬牛魚虫"
_NOW = datetime(2026, 11, 29, tzinfo=UTC)

QUESTIONS = {
    "one rare word": "w20000",
    "one common word": "w20",
    "the commonest word": "w1",
    "two words": "w50 w300",
    "four words": "w5 w70 w900 w4000",
    "a phrase": '"w3 w7"',
    "the beginning of words": "w40",
    "two signs": "山水",
    "one sign": "山",
    "a word that is nowhere": "zanzibar",
}


def make(store: Store, count: int) -> float:
    """Remember `count` pictures, each at one place; return the CPU seconds that their words took, each."""
    engine = connect(store.url)
    spent = 0.0
    for start in range(0, count, _AT_A_TIME):
        numbers = range(start + 1, min(count, start + _AT_A_TIME) + 1)
        places = list(_places(numbers))
        with engine.begin() as connection:
            connection.execute(insert(seen_pictures), [_picture(number) for number in numbers])
            connection.execute(insert(seen_addresses), places)
            before = time.process_time()
            Words(connection).write_places([(one["id"], one["context"], one["image_url"]) for one in places])
            spent += time.process_time() - before
    engine.dispose()
    return spent / count


def ask(store: Store, question: str, repeats: int = 5) -> tuple[float, int]:
    """Return the CPU seconds of the median of some askings, and how many pictures were found (20 are wanted)."""
    taken: list[float] = []
    found = 0
    for _ in range(repeats):
        with store.read() as tx:
            before = time.thread_time()
            found = len(tx.words.seen(question, 20).hits)
            taken.append(time.thread_time() - before)
    return sorted(taken)[repeats // 2], found


def report(folder: Path, count: int) -> Iterator[str]:
    """Yield the lines of what words cost among `count` pictures: CPU of one core, whatever else the machine does."""
    store = Store(f"sqlite:///{folder / 'words.db'}")
    each = make(store, count)
    yield f"{count:,} places: {each * 1000:.2f} ms of CPU to add the words of one; the first 20 pictures with"
    for name, question in QUESTIONS.items():
        seconds, found = ask(store, question)
        yield f"  {name:<24} {seconds * 1000:>8.1f} ms of CPU, {found:>2} found"
    store.close()


def _places(numbers: Sequence[int]) -> Iterator[dict[str, Any]]:
    random = np.random.default_rng(numbers[0])
    for number in numbers:
        # Zipf's law: the n-th commonest word is about n times as rare as the commonest.
        words = [f"w{min(int(word), _VOCABULARY)}" for word in random.zipf(1.15, 40).clip(1, _VOCABULARY)]
        signs = "".join(random.choice(list(_SIGNS), 8)) if number % 4 == 0 else ""
        context = Context(
            alt=" ".join(words[:6]), page_title=signs or " ".join(words[6:12]), nearby_text=" ".join(words[12:])
        )
        yield {
            "id": number,
            "picture_id": f"seen_{number:016x}",
            "place": f"{number:032x}",
            "image_url": f"https://shop-{number % 997}.example/{words[0]}-{number}.jpg",
            "page_url": f"https://shop-{number % 997}.example/{number}",
            "host": f"shop-{number % 997}.example",
            "image_host": f"shop-{number % 997}.example",
            "domain": f"shop-{number % 997}.example",
            "image_domain": f"shop-{number % 997}.example",
            "source": "shops",
            "context": context,
            "words": "",
            "first_seen_at": _NOW,
            "last_seen_at": _NOW,
        }


def _picture(number: int) -> dict[str, Any]:
    return {
        "id": f"seen_{number:016x}",
        "number": number,
        "sha256": f"{number:064x}",
        "width": 800,
        "height": 600,
        "format": "JPEG",
        "first_seen_at": _NOW,
        "last_seen_at": _NOW,
        "bytes": 0,
    }
