"""Names that every system can unpack beside each other."""

import unicodedata

import pytest

from guardian.evidence.manifest import is_member_name
from guardian.evidence.portable_names import portable_names


def test_names_that_differ_only_in_capitals_do_not_meet_where_capitals_do_not_count() -> None:
    names = portable_names([("Lake.jpg", "asset_1"), ("lake.JPG", "asset_2"), ("LAKE.jpg", "asset_3")])
    assert names == ["Lake.jpg", "asset_2-lake.JPG", "asset_3-LAKE.jpg"]


def test_a_name_that_looks_like_one_with_an_id_is_not_given_twice() -> None:
    names = portable_names([("asset_3-lake.jpg", "asset_1"), ("lake.jpg", "asset_2"), ("Lake.jpg", "asset_3")])
    assert len({name.lower() for name in names}) == 3


def test_names_that_differ_only_in_their_unicode_form_stay_apart() -> None:
    forms = [unicodedata.normalize(form, "Düne.jpg") for form in ("NFC", "NFD")]
    first, second = portable_names([(forms[0], "asset_1"), (forms[1], "asset_2")])
    assert first.isascii()
    assert second.isascii()
    assert first.lower() != second.lower()


@pytest.mark.parametrize(
    ("name", "portable"),
    [
        ("CON", "_CON"),
        ("con.jpg", "_con.jpg"),
        ("Aux.tar.gz", "_Aux.tar.gz"),
        ("COM1.png", "_COM1.png"),
        ("lpt9", "_lpt9"),
        ("CON .jpg", "CON_.jpg"),
        ("console.jpg", "console.jpg"),
        ("lake.jpg.", "lake.jpg"),
        ("lake.jpg ", "lake.jpg_"),
        (".lake.jpg", "lake.jpg"),
        ("...", "picture"),
        ("湖.jpg", "_.jpg"),
    ],
)
def test_windows_takes_every_name(name: str, portable: str) -> None:
    assert portable_names([(name, "asset_1")]) == [portable]
    assert is_member_name(f"original/{portable}")


def test_a_long_name_keeps_its_end() -> None:
    (given,) = portable_names([("x" * 300 + ".jpg", "asset_1")])
    assert given == "x" * 76 + ".jpg"


def test_a_device_that_appears_when_a_name_is_cut_is_none_either() -> None:
    (given,) = portable_names([("x" * 10 + "con." + "y" * 76, "asset_1")])
    assert given == "_con." + "y" * 76
