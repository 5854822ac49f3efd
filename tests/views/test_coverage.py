"""How full the room for evidence is, in words."""

from guardian.model import EvidenceRoom, Importance
from guardian.views.coverage import room_text


def test_a_room_that_fills_says_what_happens_before_it_does() -> None:
    versions = {Importance.FIRST: 9, Importance.LATEST: 2, Importance.UNKNOWN: 5}
    assert room_text(EvidenceRoom(79, 100, versions)) == "79 bytes of 100 bytes used (79 %)"
    told = room_text(EvidenceRoom(80, 100, versions))
    assert "80 % used" not in told
    assert told.startswith("80 bytes of 100 bytes used (80 %). When it is full, captures")
    assert "(7 captures now)" in told
    assert "evidence.max_bytes" in told
