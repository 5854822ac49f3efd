"""Searches under a name: saved with the picture asked with, asked again, made to watch, removed."""

import re
from dataclasses import dataclass, replace
from datetime import datetime

from guardian.errors import UsageError
from guardian.evidence import Vault
from guardian.model import Actor, NamedSearch, Severity
from guardian.search.asking import SearchSpec, request_of
from guardian.search.question import By
from guardian.search.request import Request
from guardian.search.search import Search
from guardian.store import Store, Transaction

_NAME = re.compile(r"[\w][\w .-]{0,99}")


@dataclass(frozen=True, slots=True)
class NamedSearches:
    """The searches under a name; `pictures` keeps the files that they ask with."""

    store: Store
    search: Search
    pictures: Vault

    def save(
        self, name: str, asked: SearchSpec, content: bytes | None, actor: Actor, at: datetime, *, replaces: bool
    ) -> None:
        """Save a search under a name; where `replaces`, in place of one before.

        `content` are the bytes of its picture, None without one or where it is an asset. Raises UsageError for a
        request that means nothing, and for what may not be a name, or is another one's.
        """
        check_name(name)
        with self.store.read() as tx:
            if not replaces and tx.named_searches.get(name) is not None:
                raise _taken(name)
            request = request_of(tx, asked, content)
        if request.own is not None:
            request = replace(request, picture=self.search.original(request.own))
        self.search.check(request)

        like, unlike = (tuple(one.id for one in several) for several in (request.like, request.unlike))
        picture = self.pictures.keep(content) if content is not None else None
        saved = replace(asked, like=like, unlike=unlike, picture=picture)
        with self.store.begin() as tx:
            before = tx.named_searches.get(name)
            # Somebody may have taken it just now, with another tab or a second click.
            if not tx.named_searches.save(name, saved.as_json(), at, replaces=replaces):
                raise _taken(name)
            tx.audit.add(actor, "search.kept", name, at, {"asked": saved.as_options()[:2_000]})
            unused = _unused_picture(tx, before)
        if unused is not None:
            self.pictures.remove(unused)

    def request(self, asked: SearchSpec) -> Request:
        """Return what a named search asks today, with its picture. Raises GuardianError where that is lost."""
        with self.store.read() as tx:
            request = request_of(tx, asked, None)
        if request.own is not None:
            return replace(request, picture=self.search.original(request.own))
        return replace(request, picture=self.pictures.get(asked.picture) if asked.picture is not None else None)


def check_name(name: str) -> None:
    """Raise UsageError for what may not be the name of a search."""
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} is not a name for a search: write letters, digits, blanks, . - and _, at most 100")


def _taken(name: str) -> UsageError:
    return UsageError(f"there is a search {name!r} already; choose another name, or remove it first")


def named_search(tx: Transaction, name: str) -> NamedSearch:
    """Return the search of a name. Raises UsageError when there is none."""
    found = tx.named_searches.get(name)
    if found is None:
        raise UsageError(f"there is no search {name!r}; `guardian search list` shows them")
    return found


def why_not_asked(tx: Transaction, pictures: Vault, asked: SearchSpec) -> str | None:
    """Return why a named search cannot be asked any more, nor watch, since what it names is gone; None where it can."""
    try:
        request_of(tx, asked, None)
    except UsageError as error:
        return str(error)
    if asked.picture is not None and not pictures.holds(asked.picture):
        return "its picture is gone from the data folder"
    return None


def remove_search(store: Store, pictures: Vault, name: str, actor: Actor, at: datetime) -> NamedSearch:
    """Remove a search, its watch, and its picture unless another one asks with it; return what it was.

    Raises UsageError for none.
    """
    with store.begin() as tx:
        gone = named_search(tx, name)
        tx.named_searches.remove(name)
        tx.audit.add(actor, "search.removed", name, at)
        unused = _unused_picture(tx, gone)
    if unused is not None:
        pictures.remove(unused)
    return gone


def restore_search(
    store: Store, pictures: Vault, removed: NamedSearch, content: bytes | None, actor: Actor, at: datetime
) -> None:
    """Save a removed search again; its watch goes on from where it had looked to.

    `content` are the bytes of its picture, None without one. Raises UsageError where another search has its name now.
    """
    with store.begin() as tx:
        if not tx.named_searches.save(removed.name, removed.asked, removed.saved_at, replaces=False):
            raise _taken(removed.name)
        if content is not None:
            pictures.keep(content)
        if removed.watch is not None:
            watch = removed.watch
            tx.named_searches.watch(removed.name, watch.above, watch.severity, watch.since)
            tx.named_searches.note_watched(removed.name, watch.watched_to, (), at)
        tx.audit.add(actor, "search.restored", removed.name, at)


def begin_watch(tx: Transaction, name: str, above: float, severity: Severity, actor: Actor, at: datetime) -> None:
    """Have a search watch what is met from now on. Raises UsageError for none, or one that can be no watch."""
    why_not = why_not_watched(SearchSpec.from_json(named_search(tx, name).asked))
    if why_not is not None:
        raise UsageError(why_not)
    if not 0 <= above <= 1:
        raise UsageError(f"a watch tells of scores above a number from 0 to 1, not {above:g}")
    tx.named_searches.watch(name, above, severity, at)
    tx.audit.add(actor, "search.watched", name, at, {"above": f"{above:g}", "severity": severity.value})


def why_not_watched(asked: SearchSpec) -> str | None:
    """Return why a search cannot watch, and what to do; None where it can.

    A watch tells of scores above a bound, so these must measure the same tomorrow, whatever else is found.
    """
    has_picture = asked.picture is not None or asked.own is not None or bool(asked.like)
    if not has_picture and not asked.colours:
        return "a watch compares looks: save a search with a picture, an example or a colour"
    if not has_picture and asked.text is not None:
        return "words are ranks, and no measure: leave the text away, or add a picture"
    if asked.by in (By.COPY, By.WORDS):
        return f"a watch compares looks, not by {asked.by}: copies are found by scans and told as cases"
    return None


def end_watch(tx: Transaction, name: str, actor: Actor, at: datetime) -> bool:
    """End the watch of a search, which stays; return False when it has none. Raises UsageError for no such search."""
    named_search(tx, name)
    has_watched = tx.named_searches.unwatch(name)
    if has_watched:
        tx.audit.add(actor, "search.unwatched", name, at)
    return has_watched


def _unused_picture(tx: Transaction, gone: NamedSearch | None) -> str | None:
    """Return the SHA-256 of the file that a search asked with which is gone, where no other one asks with it."""
    picture = SearchSpec.from_json(gone.asked).picture if gone is not None else None
    return None if picture in {SearchSpec.from_json(one.asked).picture for one in tx.named_searches.list()} else picture
