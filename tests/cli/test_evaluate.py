"""`guardian evaluate`: one page about one's own works, the same however it is run, and gone on with after a kill."""

import json
import os
import shutil
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests import forked
from tests.cli.home import Home

QUICK = ("evaluate", "--edits", "hard")


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory, photographs: dict[str, Image.Image]) -> Path:
    """Two strangers and a file that is no picture."""
    folder = tmp_path_factory.mktemp("strangers")
    for name in ("rocket", "coins"):
        photographs[name].convert("RGB").resize((320, 240)).save(folder / f"{name}.jpg")
    (folder / "notes.txt").write_text("no picture")
    return folder


def numbers(home: Home, *words: str | Path) -> dict[str, Any]:
    (page,) = home.lines(*QUICK, "--json", *words)
    return page


def without_places(page: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in page.items() if name not in ("page", "notes", "comparisons")}


@pytest.fixture(scope="module")
def home(protected: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A copy for this file: evaluations write into the data folder."""
    folder = tmp_path_factory.mktemp("evaluated") / "home"
    shutil.copytree(protected.folder, folder)
    return Home(folder)


@pytest.fixture(scope="module")
def page(home: Home, strangers: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The evaluation of two works, made once."""
    return numbers(home, "--strangers", strangers, "--html", tmp_path_factory.mktemp("page") / "page.html")


def test_all_works_and_strangers_are_asked(page: dict[str, Any]) -> None:
    assert (page["works"], page["works_of_catalogue"], page["copies"]) == (2, 2, 10)
    assert page["strangers"] == 4
    assert {one["edit"] for one in page["edits"]} == {"crop10", "mirror_crop30", "bg_small", "collage3x3", "combo_hard"}
    assert all(one["asked"] == 2 for one in page["edits"])
    assert sum(page["left_out"].values()) == 2
    assert page["found"] >= 0.6
    assert page["strangers_alerted"] == 0
    costs = page["thresholds"]
    assert [cost["missed"] for cost in costs] == sorted(cost["missed"] for cost in costs)


def test_the_page_needs_no_network(page: dict[str, Any]) -> None:
    content = Path(page["page"]).read_text(encoding="utf-8")
    assert content.startswith("<!doctype html>")
    assert content.replace("http://www.w3.org/2000/svg", "").count("http") == 0
    assert "<script" not in content
    assert "What a threshold costs" in content


def test_the_number_of_workers_changes_nothing(own: Home, strangers: Path, page: dict[str, Any]) -> None:
    config = own.folder / "config.yaml"
    config.write_text(config.read_text().replace("workers: 1", "workers: 2"))
    assert without_places(numbers(own, "--strangers", strangers)) == without_places(page)


def test_what_was_killed_goes_on_where_it_was(own: Home, strangers: Path, page: dict[str, Any]) -> None:
    journals = own.folder / "data" / "evaluation"
    with Path(os.devnull).open("w") as nothing:
        words = ("--config", own.folder / "config.yaml", *QUICK, "--json", "--strangers", strangers)
        running = forked.Daemon(*words, errors=nothing, environment=os.environ)
    until = time.monotonic() + 120
    while running.poll() is None and time.monotonic() < until:
        if any(file.read_bytes().count(b"\n") >= 3 for file in journals.glob("answers-*.jsonl")):
            break
        # Not at full speed: the command needs the core.
        with suppress(subprocess.TimeoutExpired):
            running.wait(0.01)
    running.kill()
    running.wait()
    (journal,) = journals.glob("answers-*.jsonl")
    asked_before = journal.read_text().splitlines()
    # On a busy machine the kill may come too late: then the journal is cut off all the same.
    assert 3 <= len(asked_before) <= 16
    # A kill may cut the last line off; and an answer that is noted is not asked for again.
    journal.write_text("\n".join(asked_before[:3]) + '\n{"question": "cut o')

    assert without_places(numbers(own, "--strangers", strangers)) == without_places(page)
    assert journal.read_text().splitlines()[:3] == asked_before[:3]


def test_people_read_one_page(home: Home, strangers: Path, page: dict[str, Any], tmp_path: Path) -> None:
    words = [*QUICK, "--strangers", str(strangers), "--html", str(tmp_path / "page.html")]
    lines = home.on_terminal(*words, code=0)
    # Paths stay whole, to be copied.
    assert max(len(line) for line in lines if "/" not in line) <= 80
    text = "\n".join(lines)
    assert "2 of 2 edited" in text
    assert "0 of 4 alerted" in text
    assert "What a threshold costs" in text
    assert "page.html" in text


def test_without_strangers_nothing_is_said_of_false_alarms(own: Home) -> None:
    page = numbers(own, "--sample", "1")
    assert page["strangers_alerted"] is None
    assert page["loudest_stranger"] is None
    assert all(cost["false_alarms"] is None for cost in page["thresholds"])
    assert any("not measured" in note for note in page["notes"])


def test_other_rules_are_tried_without_asking_again(
    home: Home, strangers: Path, tmp_path: Path, page: dict[str, Any]
) -> None:
    never = tmp_path / "never.yaml"
    never.write_text("rules:\n- {name: never, why: nobody is told, when: {probability: {at_least: 0}}, then: ignore}\n")
    assert numbers(home, "--strangers", strangers, "--rules", never, "--html", tmp_path / "x.html")["alerted"] == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--collection", "none"], "there are: press"),
        (["--strangers", "nowhere"], "neither a folder nor a source"),
        (["--rules", "nowhere"], "no rule file"),
        (["--edits", "soft"], "hard"),
        (["--fit"], "--strangers FOLDER"),
        (["--strangers-checked"], "belongs to --fit"),
        (["--also", "full"], "that is the profile that is configured"),
        (["--also", "without-descriptor"], "none is configured"),
    ],
)
def test_what_makes_no_sense_is_refused(protected: Home, words: list[str], said: str) -> None:
    done = protected.guardian("evaluate", *words, code=2)
    assert said in done.stderr


def test_another_profile_is_measured_on_the_same_questions(home: Home, strangers: Path, page: dict[str, Any]) -> None:
    also = numbers(home, "--strangers", strangers, "--also", "fast")
    assert without_places(also) == without_places(page)
    assert page["comparisons"] == []
    (comparison,) = also["comparisons"]
    assert comparison["columns"] == ["as configured", "fast"]
    values = {line["what"]: line["values"] for line in comparison["lines"]}
    assert values["copies found"][0] == page["found"]
    assert 0 <= values["copies found"][1] <= 1
    assert "hard edits found" not in values, "there is one family, so that would say the same"
    assert values["strangers alerted"][0] == 0

    # People read the same as a table; all was asked before.
    lines = home.on_terminal(*QUICK, "--strangers", str(strangers), "--also", "fast", code=0)
    (names,) = [line.split() for line in lines if line.split()[-3:] == ["configured", "fast", "change"]]
    (found,) = [line.split() for line in lines if line.strip().startswith("copies found")]
    assert names[0] == "as"
    assert found[2:4] == [f"{values['copies found'][0]:.3f}", f"{values['copies found'][1]:.3f}"]
    assert (home.folder / "data" / "evaluation" / "fast" / "index").is_dir()


def test_an_index_that_lacks_works_is_completed_first(own: Home, page: dict[str, Any]) -> None:
    shutil.rmtree(own.folder / "data" / "index")
    done = own.guardian(*QUICK, "--json", "--sample", "1")
    assert "the index lacks 2 assets" in done.stderr
    assert json.loads(done.stdout)["found"] > 0


def test_a_refit_on_two_works_is_refused(home: Home, strangers: Path, page: dict[str, Any]) -> None:
    done = home.guardian(*QUICK, "--strangers", strangers, "--fit", code=2)
    assert "at least 10 works and 20 strangers" in done.stderr
    assert not (home.folder / "data" / "confidence").exists()


def test_an_empty_catalogue_cannot_be_evaluated(tmp_path: Path) -> None:
    from tests.cli.home import made_home

    done = made_home(tmp_path / "empty").guardian("evaluate", code=2)
    assert "holds no protected image" in done.stderr
    assert json.dumps(done.stdout) == '""'
