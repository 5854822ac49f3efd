"""Pictures that people have just searched with: held in memory for a while, so that a search can be narrowed."""

import hashlib
from collections import OrderedDict
from datetime import datetime, timedelta

_KEPT_FOR = timedelta(hours=1)
_MOST_BYTES = 128 * 1024**2
_MOST_OF_ONE = 20
"""Pictures of one person: small ones by the thousand would hold more memory than their bytes."""


class RecentPictures:
    """Encoded pictures by who searches with them and their SHA-256. Nothing of them is written anywhere."""

    def __init__(self) -> None:
        self._held: OrderedDict[tuple[str, str], tuple[bytes, datetime]] = OrderedDict()

    def hold(self, person_id: str, content: bytes, at: datetime) -> str:
        """Hold a picture for an hour, as far as there is room; return its SHA-256 in lower-case hex."""
        digest = hashlib.sha256(content).hexdigest()
        self._put((person_id, digest), content, at)
        for key in [key for key in self._held if key[0] == person_id][:-_MOST_OF_ONE]:
            del self._held[key]
        self._let_go(at)
        return digest

    def get(self, person_id: str, digest: str, at: datetime) -> bytes | None:
        """Return a picture that this person searched with, which is held for longer; None when it was let go."""
        self._let_go(at)
        found = self._held.get((person_id, digest))
        if found is None:
            return None
        self._put((person_id, digest), found[0], at)
        return found[0]

    def _put(self, key: tuple[str, str], content: bytes, at: datetime) -> None:
        self._held[key] = (content, at)
        self._held.move_to_end(key)

    def _let_go(self, now: datetime) -> None:
        """Let those go that nobody has asked with for an hour, and then the oldest until the rest has room."""
        size = sum(len(content) for content, _ in self._held.values())
        while self._held:
            key, (content, at) = next(iter(self._held.items()))
            if now - at < _KEPT_FOR and size <= _MOST_BYTES:
                return
            size -= len(content)
            del self._held[key]
