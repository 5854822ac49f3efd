"""A search of the desk goes into an address and comes back, and what was searched with is held for its person alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

import pytest
from starlette.datastructures import ImmutableMultiDict

from guardian.errors import UsageError
from guardian.search.asking import SearchSpec
from guardian.web.recent_pictures import RecentPictures
from guardian.web.search_queries import MOST_EXAMPLES, asked_in, narrowed, onward_queries, parts_of, query_of, words_of

NOW = datetime(2026, 11, 30, tzinfo=UTC)
ALL = SearchSpec(
    where="seen",
    by="look",
    text='"red dunes" & 沙丘',
    region="0,1,20,30",
    colours=("#c03", "navy:40%"),
    like=("asset_1", "seen_2"),
    unlike=("seen_3",),
    filters=("label=a=b", "host=shop.example", "since=2026-01-01"),
    picture="0f" * 32,
)


def _read(query: str) -> SearchSpec:
    return asked_in(ImmutableMultiDict(parse_qsl(query)))


def test_what_an_address_asks_is_what_was_asked() -> None:
    assert _read(query_of(ALL)) == replace(ALL, filters=("label=a=b", "host=shop.example", "since=2026-01-01"))
    assert _read(query_of(SearchSpec(own="asset_1"))) == SearchSpec(own="asset_1")
    assert query_of(SearchSpec()) == ""


@pytest.mark.parametrize(
    ("written", "colours"),
    [
        ("#c03", ("#c03",)),
        ("#c03 navy:40%", ("#c03", "navy:40%")),
        (" navy : 40 % ; red", ("navy : 40 %", "red")),
        ("rgb(1, 2, 3):40%, #c03", ("rgb(1, 2, 3):40%", "#c03")),
        ("", ()),
    ],
)
def test_colours_are_written_as_people_do(written: str, colours: tuple[str, ...]) -> None:
    assert asked_in(ImmutableMultiDict({"colours": written})).colours == colours


def test_what_leads_to_no_file_and_what_is_far_too_much() -> None:
    assert asked_in(ImmutableMultiDict({"kept": "../../etc/passwd"})).picture is None
    with pytest.raises(UsageError, match="at most 20 examples"):
        asked_in(ImmutableMultiDict([("like", f"asset_{n}") for n in range(21)]))
    with pytest.raises(UsageError, match="at most 20 colours"):
        asked_in(ImmutableMultiDict({"colours": "red " * 21}))


def test_a_facet_narrows_and_each_part_can_be_taken_away() -> None:
    only = narrowed(ALL, "host", "other.example")
    assert only is not None
    assert only.filters == ("label=a=b", "since=2026-01-01", "host=other.example")
    assert narrowed(ALL, "kind", "asset") == replace(ALL, where="assets")
    assert narrowed(ALL, "colour", "red") == replace(ALL, colours=("#c03", "navy:40%", "red"))
    assert narrowed(ALL, "size", "1") is None

    left = ALL
    while parts := parts_of(left):
        assert left != parts[0][1], parts[0][0]
        left = parts[0][1]
    assert left == SearchSpec(where="seen", by="look", text=ALL.text, picture=ALL.picture)


def test_from_a_result_it_goes_on_to_as_many_examples_as_a_search_may_have() -> None:
    onward = onward_queries(ALL, "seen_3", is_asset=False)
    assert _read(onward["alone"]) == SearchSpec(where="seen", like=("seen_3",))
    assert _read(onward["more"]) == replace(ALL, like=("asset_1", "seen_2", "seen_3"), unlike=())
    assert _read(onward["less"]) == ALL
    assert _read(onward_queries(ALL, "asset_9", is_asset=True)["alone"]) == SearchSpec(where="seen", own="asset_9")

    full = replace(ALL, like=tuple(f"asset_{n}" for n in range(MOST_EXAMPLES)))
    assert sorted(onward_queries(full, "seen_9", is_asset=False)) == ["alone", "less"]
    assert sorted(onward_queries(full, "asset_7", is_asset=True)) == ["alone", "less", "more"], "it is one of them"
    assert narrowed(replace(ALL, colours=tuple(f"#0{n:02}" for n in range(20))), "colour", "red") is None


def test_a_search_in_the_words_of_the_desk() -> None:
    assert (
        words_of(SearchSpec(own="asset_1", by="shape", where="assets"))
        == "like one of your images; by shape; in your images"
    )
    words = words_of(ALL)
    assert words.startswith(
        'like a picture; words "red dunes" & 沙丘; label: a=b; host: shop.example; since: 2026-01-01; '
    )
    assert words.endswith("unlike seen_3; only the part 0,1,20,30; by look; in what was seen")


def test_pictures_are_held_for_their_person_and_for_an_hour() -> None:
    held = RecentPictures()
    digest = held.hold("anna", b"a picture", NOW)
    assert held.get("anna", digest, NOW) == b"a picture"
    assert held.get("rita", digest, NOW) is None
    late = NOW + timedelta(minutes=59)
    assert held.get("anna", digest, late) == b"a picture", "and from then on for another hour"
    assert held.get("anna", digest, late + timedelta(minutes=59)) is not None
    assert held.get("anna", digest, late + timedelta(hours=3)) is None


def test_the_oldest_picture_makes_room() -> None:
    held = RecentPictures()
    digests = [held.hold("anna", bytes([number]) * (48 << 20), NOW) for number in range(3)]
    assert [held.get("anna", one, NOW) is not None for one in digests] == [False, True, True]


def test_thousands_of_small_pictures_of_one_person_push_out_their_own_alone() -> None:
    held = RecentPictures()
    ritas = held.hold("rita", b"a picture", NOW)
    annas = [held.hold("anna", f"picture {number}".encode(), NOW) for number in range(1000)]
    assert held.get("rita", ritas, NOW) is not None
    assert sum(held.get("anna", one, NOW) is not None for one in annas) == 20
