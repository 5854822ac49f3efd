"""`guardian config check` as a person runs it."""

import json
from pathlib import Path

from tests.cli.home import Home, made_home

WRONG = """\
sources:
  - {name: gallery, kind: page, url: "https://shop.example/g", evry: 1h}
destinations:
  - {name: legal, url: "legal.example", secret_env: HOOK}
"""


def test_it_says_what_would_happen_and_fits_the_terminal(tmp_path: Path) -> None:
    sources = f"sources:\n  - {{name: gallery, kind: page, url: 'https://shop.example/{'g' * 90}', every: 6h}}\n"
    home = made_home(tmp_path / "home", sources)
    said = home.guardian("config", "check").stdout
    assert "sources          gallery (page, every 6h)\n" in said
    assert "warning: " in said
    assert said.splitlines()[-1] == f"0 problems, 1 warning in {home.folder / 'config.yaml'}"
    shown = home.on_terminal("config", "check", code=0)
    assert all(len(line) <= 80 or "/" in line for line in shown)


def test_every_problem_is_named_and_the_code_is_2(tmp_path: Path) -> None:
    home = Home(tmp_path)
    (tmp_path / "config.yaml").write_text(WRONG)
    said = home.guardian("config", "check", code=2)
    misspelt = "there is no key 'sources.0.evry'; did you mean 'every'?"
    assert f"problem: {tmp_path}/config.yaml:2:64: {misspelt}" in said.stdout
    assert f"problem: {tmp_path}/config.yaml:4:19: destinations.0.url: must be a full" in said.stdout
    lines = [json.loads(line) for line in home.guardian("config", "check", "--json", code=2).stdout.splitlines()]
    assert [line["weight"] for line in lines] == ["problem", "problem"]


def test_a_file_that_is_not_there_is_one_problem(tmp_path: Path) -> None:
    assert "there is no such file" in Home(tmp_path).guardian("config", "check", code=2).stdout
