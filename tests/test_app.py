"""What the commands forget at their start, so that no table grows for ever."""

from datetime import UTC, datetime, timedelta

import pytest

from guardian.model import Action, TaskKind
from tests.cli.home import Home, made_home
from tests.databases import store_in


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return made_home(tmp_path_factory.mktemp("home") / "home", "retention: {deliveries: 30d}\n")


def test_run_once_forgets_old_deliveries_keeps_what_is_due_and_the_words_of_cases(home: Home) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=31)
    store = store_in(home.folder / "data")
    with store.begin() as tx:
        for key in ("delivered", "due"):
            tx.tasks.add(TaskKind.DELIVER, key, b"{}", due_at=long_ago, at=long_ago, destination="gone")
        (delivered,) = [task for task in tx.tasks.list() if task.key == "delivered"]
        tx.tasks.done(delivered.id, long_ago)
        asset = tx.assets.reserve("a" * 64, title="Harbour", collection="shop", path="/a.jpg", size=(8, 6), at=long_ago)
        tx.cases.insert(asset.id, "thief.example", Action.ALERT, None, long_ago)
        tx.case_words.mark_all()

    said = home.guardian("run", "--once", code=None)
    with store.read() as tx:
        left = [task.key for task in tx.tasks.list()]
        assert tx.case_words.are_all_kept(), said.stderr
    store.close()
    assert left == ["due"], said.stderr
    assert '"pruned"' in said.stderr, "it is logged"
