"""Of what changes at each visit the first, the last and what matters is kept, whatever else a page does."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from guardian.cases import Kept, RecordedUse, record
from guardian.model import Audience, Context, FindingDigest, Importance, Severity, VersionChange
from guardian.store import Store

Use = Callable[..., RecordedUse]


def digest(number: int) -> str:
    return f"{number:064x}"


def visits(store: Store, *uses: RecordedUse, to: tuple[str, ...] = ("legal",)) -> list[FindingDigest]:
    """Record uses one after the other; return what is then listed of their finding."""
    for use in uses:
        with store.begin() as tx:
            finding = record(tx, use, Audience(to))
    with store.read() as tx:
        return tx.versions.of(finding.id)


def told(versions: list[FindingDigest]) -> list[tuple[int, str, tuple[VersionChange, ...]]]:
    """Number of the page, importance and changes of each version."""
    return [(int(one.page_sha256 or "0", 16), one.importance.value, one.changes) for one in versions]


@pytest.fixture
def visit(use: Use) -> Use:
    """visit(7) sees the picture on page number 7, at minute 7; keywords change its context or anything else."""

    def make(number: int, *, kept: Kept | None = None, words: Context | None = None, **changes: object) -> RecordedUse:
        made: RecordedUse = use(minutes=number, **changes)
        page = Kept(made.candidate_sha256, digest(number), image_status=200, page_status=200)
        context = words or Context(alt="a picture", nearby_text=f"visit {number} of token{number}")
        return replace(made, kept=kept or page, sighting=replace(made.sighting, context=context))

    return make


def test_a_page_with_a_token_leaves_its_first_and_last_capture(store: Store, visit: Use) -> None:
    versions = visits(store, *(visit(number) for number in range(1, 31)))
    assert told(versions) == [(1, "told", ()), (30, "latest", ())]
    with store.read() as tx:
        assert tx.released_evidence.list(100) == [digest(number) for number in range(2, 30)]
        (finding,) = tx.findings.list()
    assert (finding.page_sha256, finding.image_sha256) == (digest(30), "c" * 64)


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"candidate_sha256": "d" * 64}, VersionChange.PICTURE),
        ({"image_url": "https://cdn.example/copy-300x200.jpg"}, VersionChange.ADDRESS),
        ({"words": Context(alt="another", nearby_text="visit 1 of token1")}, VersionChange.WORDS),
        ({"words": Context(alt="a picture", nearby_text="offered for sale")}, VersionChange.WORDS),
        ({"words": Context(alt="a picture", nearby_text="visit of", claims="(c) thief")}, VersionChange.CLAIMS),
        ({"kept": Kept("c" * 64, digest(3), image_status=404, page_status=200)}, VersionChange.STATUS),
        ({"kept": Kept("c" * 64, digest(3), image_status=200, page_status=203)}, VersionChange.STATUS),
    ],
)
def test_what_matters_is_kept_for_ever(
    store: Store, visit: Use, changed: dict[str, object], what: VersionChange
) -> None:
    after = {name: value for name, value in changed.items() if name != "kept"}
    versions = visits(store, visit(1), visit(2), visit(3, **changed), visit(4, **after), visit(5, **after), to=())
    kept = [one for one in told(versions) if one[1] != "latest"]
    # A status that goes back to what it was has been seen before.
    assert kept == [(1, "first", ()), (3, "changed", (what,))]
    assert told(versions)[-1] == (5, "latest", ())


@pytest.mark.parametrize(
    "words",
    [
        Context(alt="a picture", nearby_text="Visit 99, of\n token77 (12:55)"),
        Context(alt="a picture", nearby_text="visit of", page_title=None),
    ],
)
def test_counters_times_and_tokens_do_not_matter(store: Store, visit: Use, words: Context) -> None:
    session = "http://cdn.example/copy.jpg?PHPSESSID=44&utm_source=x"
    versions = visits(store, visit(1), visit(2, words=words), visit(3, image_url=session))
    assert told(versions) == [(1, "told", ()), (3, "latest", ())]


def test_advertisements_that_take_turns_are_kept_once_each(store: Store, visit: Use) -> None:
    shown = ["shoes", "cars", "tea"]
    pages = [
        visit(number, words=Context(alt="a picture", nearby_text=f"buy {shown[number % 3]}")) for number in range(30)
    ]
    versions = visits(store, *pages, to=())
    assert told(versions) == [
        (0, "first", ()),
        (1, "changed", (VersionChange.WORDS,)),
        (2, "changed", (VersionChange.WORDS,)),
        (29, "latest", ()),
    ]


def test_a_site_that_says_unchanged_changes_no_status(store: Store, visit: Use) -> None:
    unchanged = Kept("c" * 64, digest(1))
    versions = visits(store, visit(1), visit(2, kept=unchanged), visit(3, kept=unchanged))
    assert [(one.page_sha256, one.importance) for one in versions] == [(digest(1), Importance.TOLD)]
    with store.read() as tx:
        (finding,) = tx.findings.list()
    assert (finding.image_status, finding.page_status) == (200, 200)
    assert versions[0].last_seen_at == finding.last_seen_at


def test_what_was_not_kept_replaces_nothing(store: Store, visit: Use) -> None:
    nothing = Kept(note="no room")
    versions = visits(store, visit(1), visit(2), visit(3, kept=nothing), visit(4, kept=Kept("c" * 64)))
    assert told(versions) == [(1, "told", ()), (2, "latest", ())]
    assert versions[1].last_seen_at.minute == 4


def test_the_first_evidence_is_kept_though_the_first_sighting_had_none(store: Store, visit: Use) -> None:
    versions = visits(store, visit(1, kept=Kept(note="no room")), *(visit(number) for number in (2, 3, 4)), to=())
    assert told(versions) == [(0, "first", ()), (2, "first", ()), (4, "latest", ())]


def test_every_version_that_a_message_named_is_kept(store: Store, visit: Use) -> None:
    told_of = [
        visit(1, severity=None),
        visit(2, severity=Severity.LOW),
        visit(3),
        visit(4, severity=Severity.CRITICAL),
        visit(5),
        visit(6),
    ]
    versions = visits(store, *told_of)
    assert told(versions) == [(1, "told", ()), (2, "told", ()), (3, "told", ()), (4, "told", ()), (6, "latest", ())]


def test_bytes_that_come_back_after_they_were_dropped_are_evidence_again(store: Store, visit: Use) -> None:
    (first,) = visits(store, visit(1), to=())
    with store.begin() as tx:
        (finding,) = tx.findings.list()
        tx.versions.note(finding.id, replace(first, dropped_at=first.last_seen_at))
    (again,) = visits(store, visit(1), to=())
    assert (again.dropped_at, again.importance) == (None, Importance.FIRST)
