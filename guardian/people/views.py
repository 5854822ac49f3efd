"""Views of the queue that somebody saves under a name; nobody else sees them."""

from datetime import datetime

from guardian.errors import UsageError
from guardian.model import Person, SavedView
from guardian.store import Transaction
from guardian.views.plain_text import cleaned

_LONGEST_NAME = 60
_MOST = 50


def keep_view(tx: Transaction, person: Person, name: str, query: str, at: datetime) -> None:
    """Save a view under a name, in place of one that has it. Raises UsageError for a blank name, and beyond 50."""
    clean = cleaned(name)[:_LONGEST_NAME]
    if not clean:
        raise UsageError("name the view")
    saved = tx.saved_views.of_person(person.id)
    if len(saved) >= _MOST and all(view.name != clean for view in saved):
        raise UsageError(f"{_MOST} views are saved, which is the most; forget one first")
    tx.saved_views.save(person.id, SavedView(clean, query), at)


def forget_view(tx: Transaction, person: Person, name: str) -> None:
    """Forget the view of this name. Raises UsageError when there is none."""
    if not tx.saved_views.remove(person.id, name):
        raise UsageError("there is no such view any more")
