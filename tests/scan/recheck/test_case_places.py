"""Which places of a case are looked at again, and which are left for the next time."""

from guardian.cases import record
from guardian.cli.acting import this_user
from guardian.model import Audience, DescribedPicture, Licence, NewlySeen
from guardian.model.notices import NoticeKind
from guardian.notices.drafting import DraftRequest, NoticeConfig, draft
from guardian.notices.settings import NoticeSettings, OwnerSettings
from guardian.scan.recheck.case_places import places_of
from guardian.scan.services import ScanSettings
from guardian.store import Store
from tests.notices.conftest import NOON, use_of

SETTINGS = ScanSettings(own_hosts=("owner.example",), audience=Audience(), max_image_bytes=1)


def test_places_that_only_the_memory_knows_are_those_of_the_same_operator(store: Store) -> None:
    """A file that another account of the platform shows has not moved there; one's own that is embedded is no copy."""
    asset, pages = "a" * 64, ("https://forum.example/user/alice/1", "https://forum.example/user/alice/2")
    with store.begin() as tx:
        reserved = tx.assets.reserve(asset, title="Dune", collection="shop", path="/p", size=(8, 6), at=NOON)
        tx.assets.protect([reserved.number])
        use = use_of(tx.assets.list()[0], pages[0], "https://forum.example/i/1.jpg")
        finding = record(tx, use, Audience())
        case = tx.cases.get(finding.case_id or "")
        met = [
            NewlySeen("c" * 64, 8, 6, None, f"{page}.jpg", page, "web", NOON, described=DescribedPicture("JPEG", b"x"))
            for page in (pages[1], "https://forum.example/user/bob/1", "https://elsewhere.example/1")
        ]
        own = ("https://owner.example/c.jpg", "https://forum.example/user/alice/3")
        met.append(NewlySeen("c" * 64, 8, 6, None, *own, "web", NOON, described=DescribedPicture("JPEG", b"x")))
        tx.newly_seen.remember(met, "recipe", "shard")
    assert case is not None
    assert case.operator == "forum.example/user/alice"
    found = places_of(store, SETTINGS, case, None, NOON.date())
    assert [one.place.page_url for one in found.named] == [pages[0]]
    assert [(one.place.page_url, one.is_licensed) for one in found.elsewhere] == [(pages[1], False)]
    # Without it a site that answers every address alike would keep the case from ever being gone.
    assert [one.place.last_seen_at for one in (*found.named, *found.elsewhere)] == [NOON, NOON]
    with store.begin() as tx:
        tx.licences.grant(Licence("", "forum.example", path="/user/alice/2", collection="shop"), NOON)
    (elsewhere,) = places_of(store, SETTINGS, case, None, NOON.date()).elsewhere
    assert elsewhere.is_licensed


def test_places_that_are_too_many_are_not_passed_over_in_silence(store: Store) -> None:
    owner = OwnerSettings(name="Ada", address="Here", email="ada@example.com", phone="1", signs_as="Ada")
    with store.begin() as tx:
        reserved = tx.assets.reserve("a" * 64, title="Dune", collection="shop", path="/p", size=(8, 6), at=NOON)
        tx.assets.protect([reserved.number])
        (asset,) = tx.assets.list()
        case_id = record(tx, use_of(asset, "https://thief.example/named", None), Audience()).case_id or ""
    wanted = DraftRequest(NoticeKind.DMCA, "mara")
    notice = draft(store, [case_id], wanted, NoticeConfig(owner, NoticeSettings()), NOON, this_user()).notice
    with store.begin() as tx:
        for number in range(102):
            record(tx, use_of(asset, f"https://thief.example/{number}", None), Audience())
        tx.licences.grant(Licence("", "thief.example", path="/7", collection="shop"), NOON)
        case = tx.cases.get(case_id)
    assert case is not None
    found = places_of(store, SETTINGS, case, notice.id, NOON.date())
    assert [one.place.page_url for one in found.named] == ["https://thief.example/named"]
    assert not any(one.is_licensed for one in found.elsewhere)
    # The licensed one is not among them; of the others one is left over, and named as not looked at.
    assert (len(found.elsewhere), len(found.too_many)) == (100, 1)
