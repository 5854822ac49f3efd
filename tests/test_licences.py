"""What licences say about one use: five standings."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardian.licences import days_left, holds_at, host_is_under, licence_status, status_of
from guardian.model import Asset, AssetState, Licence, LicenceStatus, Work

TODAY = date(2026, 11, 24)
DUNE = Asset(
    id="asset_dune",
    number=1,
    title="Dune",
    collection="press",
    path="/dune.jpg",
    sha256="a" * 64,
    width=800,
    height=600,
    added_at=datetime(2026, 1, 1, tzinfo=UTC),
    work_id="work_dune",
)

WORK = Work("work_dune", (DUNE,))


def press(first: str | None = None, last: str | None = None, host: str = "shop.example") -> Licence:
    return Licence(
        "lic_press",
        host,
        collection="press",
        valid_from=date.fromisoformat(first) if first else None,
        valid_until=date.fromisoformat(last) if last else None,
    )


@pytest.mark.parametrize(
    ("licences", "expected"),
    [
        ([], LicenceStatus.NONE),
        ([press()], LicenceStatus.LICENSED),
        ([press("2026-11-25")], LicenceStatus.NOT_YET),
        ([press(None, "2026-11-23")], LicenceStatus.LAPSED),
        ([Licence("lic_1", "shop.example", collection="other")], LicenceStatus.OUT_OF_SCOPE),
        ([Licence("lic_1", "shop.example", asset_id="asset_other")], LicenceStatus.OUT_OF_SCOPE),
        ([Licence("lic_1", "shop.example", asset_id="asset_dune")], LicenceStatus.LICENSED),
        ([press(host="other.example")], LicenceStatus.NONE),
    ],
)
def test_five_standings(licences: list[Licence], expected: LicenceStatus) -> None:
    assert licence_status(WORK, "shop.example", TODAY, licences) is expected


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        (date(2025, 12, 31), LicenceStatus.NOT_YET),
        (date(2026, 1, 1), LicenceStatus.LICENSED),
        (date(2026, 12, 31), LicenceStatus.LICENSED),
        (date(2027, 1, 1), LicenceStatus.LAPSED),
    ],
)
def test_both_days_are_included(on: date, expected: LicenceStatus) -> None:
    licence = press("2026-01-01", "2026-12-31")
    assert licence_status(WORK, "shop.example", on, [licence]) is expected
    assert status_of(licence, on) is expected


def test_a_licence_of_one_day() -> None:
    licence = press("2026-11-24", "2026-11-24")
    near = [TODAY + timedelta(days=shift) for shift in (-1, 0, 1)]
    assert [status_of(licence, on) for on in near] == [
        LicenceStatus.NOT_YET,
        LicenceStatus.LICENSED,
        LicenceStatus.LAPSED,
    ]


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("shop.example", LicenceStatus.LICENSED),
        ("www.shop.example", LicenceStatus.LICENSED),
        ("a.b.shop.example", LicenceStatus.LICENSED),
        ("SHOP.example.", LicenceStatus.LICENSED),
        ("myshop.example", LicenceStatus.NONE),
        ("example", LicenceStatus.NONE),
        ("shop.example.evil.example", LicenceStatus.NONE),
        ("", LicenceStatus.NONE),
    ],
)
def test_subdomains_are_covered_and_nothing_else(host: str, expected: LicenceStatus) -> None:
    assert licence_status(WORK, host, TODAY, [press()]) is expected


def test_the_better_of_two_licences_counts() -> None:
    old, new, later = press("2025-01-01", "2025-12-31"), press("2026-01-01"), press("2027-01-01")
    other = Licence("lic_other", "shop.example", collection="other")
    assert licence_status(WORK, "shop.example", TODAY, [old, new]) is LicenceStatus.LICENSED
    assert licence_status(WORK, "shop.example", TODAY, [new, old, later, other]) is LicenceStatus.LICENSED
    assert licence_status(WORK, "shop.example", TODAY, [old, later, other]) is LicenceStatus.LAPSED
    assert licence_status(WORK, "shop.example", TODAY, [other, later]) is LicenceStatus.NOT_YET


def test_a_narrow_host_of_its_own_beside_the_wide_one() -> None:
    wide, narrow = press(None, "2026-01-01"), press(host="blog.shop.example")
    assert licence_status(WORK, "blog.shop.example", TODAY, [wide, narrow]) is LicenceStatus.LICENSED
    assert licence_status(WORK, "www.shop.example", TODAY, [wide, narrow]) is LicenceStatus.LAPSED


standings = st.lists(
    st.builds(
        Licence,
        st.just("lic"),
        st.sampled_from(["shop.example", "www.shop.example", "other.example"]),
        collection=st.sampled_from(["press", "other"]),
        valid_from=st.none() | st.sampled_from([TODAY - timedelta(1), TODAY + timedelta(1)]),
        valid_until=st.none() | st.sampled_from([TODAY - timedelta(1), TODAY + timedelta(1)]),
    )
)


@given(st.data())
def test_the_order_of_licences_does_not_matter(data: st.DataObject) -> None:
    licences = data.draw(standings)
    shuffled = data.draw(st.permutations(licences))
    found = licence_status(WORK, "www.shop.example", TODAY, licences)
    assert licence_status(WORK, "www.shop.example", TODAY, shuffled) is found


@given(standings, standings)
def test_another_licence_never_makes_it_worse(some: list[Licence], more: list[Licence]) -> None:
    best = [
        LicenceStatus.LICENSED,
        LicenceStatus.LAPSED,
        LicenceStatus.NOT_YET,
        LicenceStatus.OUT_OF_SCOPE,
        LicenceStatus.NONE,
    ]
    before = licence_status(WORK, "www.shop.example", TODAY, some)
    after = licence_status(WORK, "www.shop.example", TODAY, [*some, *more])
    assert best.index(after) <= best.index(before)


@pytest.mark.parametrize(
    ("host", "domain", "under"),
    [
        ("xn--strae-oqa.example", "straße.example", True),
        ("www.straße.example", "XN--STRAE-OQA.example", True),
        ("strasse.example", "straße.example", False),
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "0.0.1", False),
        ("127.0.0.1", "1", False),
        ("::1", "0:0:0:0:0:0:0:1", True),
        ("shop.example", "www.shop.example", True),
        ("a.shop.example", "www.shop.example", False),
        ("", "www.", False),
        ("shop.example", "", False),
        ("", "", False),
        ("not a host", "not a host", False),
    ],
)
def test_hosts_in_all_their_spellings(host: str, domain: str, under: bool) -> None:
    assert host_is_under(host, domain) is under


@pytest.mark.parametrize("version", ["the asset itself", "another version", "a withdrawn version"])
def test_a_licence_for_any_version_of_a_work_covers_the_use(version: str) -> None:
    state = AssetState.WITHDRAWN if version == "a withdrawn version" else AssetState.PROTECTED
    web = replace(DUNE, id="asset_web", collection="portfolio", state=state)
    work = Work("work_dune", (DUNE, web))
    of_asset = Licence("lic_1", "shop.example", asset_id=DUNE.id if version == "the asset itself" else web.id)
    of_collection = Licence("lic_2", "shop.example", collection="portfolio")
    other = Licence("lic_3", "shop.example", asset_id="asset_other")
    assert licence_status(work, "shop.example", TODAY, [of_asset]) is LicenceStatus.LICENSED
    assert licence_status(work, "shop.example", TODAY, [of_collection]) is LicenceStatus.LICENSED
    assert licence_status(work, "shop.example", TODAY, [other]) is LicenceStatus.OUT_OF_SCOPE


@pytest.mark.parametrize(
    ("path", "place", "holds"),
    [
        ("/shop/customer", "https://www.etsy.com/de/shop/Customer?page=2", True),
        ("/shop/customer", "https://customer.etsy.com/listing/1", True),
        ("/shop/customer", "https://www.etsy.com/shop/other", False),
        ("/shop/customer", "etsy.com", False),
        ("/blog", "https://www.etsy.com/blog", True),
        ("/blog", "https://www.etsy.com/Blog/2026/1", True),
        ("/blog", "https://www.etsy.com/blogs", False),
        ("/blog", "https://etsy.com.example/blog", False),
        (None, "https://customer.etsy.com/listing/1", True),
        (None, "etsy.com", True),
    ],
)
def test_an_account_or_a_part_of_a_site(path: str | None, place: str, holds: bool) -> None:
    licence = Licence("lic_1", "etsy.com", path=path, collection="press")
    assert holds_at(licence, place) is holds


def test_a_tag_covers_what_has_it() -> None:
    tagged = replace(WORK, assets=(replace(WORK.assets[0], tags=("sea", "cover")),))
    for tag, status in (("cover", LicenceStatus.LICENSED), ("cov", LicenceStatus.OUT_OF_SCOPE)):
        assert licence_status(tagged, "shop.example", TODAY, [Licence("lic_1", "shop.example", tag=tag)]) is status


def test_days_that_are_left() -> None:
    licence = Licence("lic_1", "shop.example", tag="a", valid_until=TODAY + timedelta(days=3))
    assert days_left(licence, TODAY) == 3
    assert days_left(licence, TODAY + timedelta(days=4)) is None
    assert days_left(replace(licence, valid_until=None), TODAY) is None
