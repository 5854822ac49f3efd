"""The audit log in words: everything that is written to it has some, and what is unknown is still readable."""

import re
from importlib.resources import files
from pathlib import Path
from typing import get_args

from guardian.model import Permission
from guardian.views.audit_words import ACTION_TEXTS, PERMISSION_TEXTS, action_text, permission_text
from guardian.web.api.decisions import GiveState
from guardian.web.pages.deciding import DecisionKind


def test_every_action_that_is_written_has_words() -> None:
    package = Path(str(files("guardian")))
    written = {
        action
        for path in package.rglob("*.py")
        for action in re.findall(r'audit\.add\(\s*[\w.]+,\s*"([^"]+)"', path.read_text(encoding="utf-8"))
    }
    assert len(written) > 20
    written |= {f"case.{kind.value}" for kind in DecisionKind}
    written |= {f"case.{word}" for word in get_args(GiveState.model_fields["decision"].annotation)}
    assert {action for action in written if action.replace("-", "_") not in ACTION_TEXTS} == set()


def test_every_permission_has_words_and_the_unknown_is_shown_as_it_is() -> None:
    assert set(PERMISSION_TEXTS) == set(Permission)
    assert permission_text("cases:write") == "decide about cases"
    assert permission_text("moon:land") == "moon:land"
    assert action_text("case.notice-sent") == "case marked: notice sent"
    assert action_text("moon.landed_on") == "moon: landed on"
