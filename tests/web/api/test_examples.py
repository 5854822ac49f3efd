"""The example clients, run as they are against a desk on loopback."""

import csv
import io
import runpy
import sys
from pathlib import Path

import pytest

from guardian.model import CaseState, Permission
from tests.web.api.conftest import Program, add_asset, add_use
from tests.web.conftest import Served

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"


def run(name: str, *arguments: str) -> None:
    sys.argv = [name, *arguments]
    runpy.run_path(str(EXAMPLES / name), run_name="__main__")


def test_open_cases_are_written_and_decided(
    served: Served, program: Program, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    add_asset(served, "a")
    case = add_use(served, "https://thief.example/p")
    client = program(Permission.CASES_READ, Permission.CASES_WRITE)
    monkeypatch.setenv("GUARDIAN_URL", served.url)
    monkeypatch.setenv("GUARDIAN_TOKEN", client.headers["authorization"].removeprefix("Bearer "))
    monkeypatch.setattr(sys, "argv", [])
    client.post(f"/api/v1/cases/{case.id}/decisions", json={"decision": "label", "add": ["=HYPERLINK(1)"]})

    capsys.readouterr()
    run("open_cases.py")
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (row["id"], row["operator"], row["labels"]) == (case.id, "thief.example", "'=HYPERLINK(1)")

    for arguments, state in (((), CaseState.OPEN), (("--yes",), CaseState.DISMISSED)):
        with pytest.raises(SystemExit) as ended:
            run("decide_in_bulk.py", "thief.example", "dismiss", "--reason", "permitted", *arguments)
        assert ended.value.code == 0
        with served.store.read() as tx:
            found = tx.cases.get(case.id)
        assert found is not None
        assert found.state is state
