"""`guardian search` as people use it: pictures and asset ids in, results, JSON and a page out."""

import base64
import io
import json
import shutil

import pytest
from PIL import Image

from guardian.cli.thumbnails import Terminal
from guardian.errors import UsageError
from guardian.search.asking import filters_of, region_of
from tests.cli.home import Home


def test_search_by_picture_by_asset_and_by_colour(protected: Home, photographs: dict[str, Image.Image]) -> None:
    query = protected.folder / "query.png"
    photographs["astronaut"].crop((40, 20, 440, 420)).save(query)
    page = protected.folder / "page.html"

    lines = protected.guardian("search", query, "--json", "--html", page).stdout.splitlines()

    first, second = (json.loads(line) for line in lines)
    assert list(first) == ["rank", "kind", "asset", "seen", "score", "by", "why", "labels"]
    assert (first["rank"], first["kind"], first["asset"]["title"], first["seen"]) == (1, "asset", "astronaut", None)
    assert set(first["asset"]) == {"id", "title", "path", "collection"}
    assert first["why"].startswith("copy: ")
    assert first["score"] > second["score"] > 0
    text = page.read_text()
    assert text.index("astronaut") < text.index("coffee")
    assert text.count("data:image/jpeg;base64,") == 3
    assert "http" not in text

    shown = protected.guardian("search", first["asset"]["id"][:14], "--by", "look", "--in", "assets").stdout
    assert "coffee" in shown
    assert "astronaut" not in shown, "the asset that is asked with is no answer"
    assert "1 result among 1 picture" in shown
    assert protected.guardian("search", "--colour", "#c03", "--top", "1").stdout.strip().endswith("2 pictures")
    (worded,) = protected.guardian("search", "--text", "Astronauts", "--json").stdout.splitlines()
    assert json.loads(worded)["why"] == "“astronaut” (title)"


def test_what_is_asked_wrongly_is_said(protected: Home) -> None:
    assert "--text, --colour or --like" in protected.guardian("search", code=2).stderr
    assert "there is no file" in protected.guardian("search", "nowhere.png", code=3).stderr
    assert "is a folder; name one picture" in protected.guardian("search", str(protected.folder), code=2).stderr

    for wrong in ("size=3", "since=soon", "host", "tag="):
        with pytest.raises(UsageError, match="filter"):
            filters_of([wrong])
    with pytest.raises(UsageError, match="twice"):
        filters_of(["tag=a", "tag=b"])
    assert filters_of(["tag=a", "since=2026-11-24"]).tag == "a"
    for wrong in ("1,2,3", "a,b,c,d", "-1,0,5,5", "0,0,0,5"):
        with pytest.raises(UsageError, match="region '"):
            region_of(wrong)
    assert region_of("0,1,2,3") == (0, 1, 2, 3)


def test_what_asks_no_rules_needs_none(own: Home) -> None:
    shutil.rmtree(own.folder / "rules")
    (own.folder / "labels.yaml").write_text("labels: [{term: portrait, phrasings: [astronaut]}]\n")
    own.guardian("search", "save", "portraits", "--text", "astronaut")
    for words in (("search", "run", "portraits"), ("search", "--text", "astronaut")):
        assert "astronaut" in own.guardian(*words).stdout
    for kind in ("duplicates", "siblings", "poor"):
        own.guardian("asset", kind)
    assert "portrait: 1 by words" in own.guardian("label", "apply").stdout
    assert "no rule file" in own.guardian("check", own.folder / "labels.yaml", code=2).stderr


def test_terminals_are_told_to_show_pictures_only_where_they_can() -> None:
    encoded = io.BytesIO()
    Image.new("RGB", (40, 30), (200, 20, 20)).save(encoded, "JPEG")
    picture = encoded.getvalue()

    assert Terminal.of({"TERM": "xterm-kitty"}, is_terminal=True) is Terminal.KITTY
    assert Terminal.of({"TERM_PROGRAM": "iTerm.app"}, is_terminal=True) is Terminal.ITERM
    assert Terminal.of({"TERM": "foot"}, is_terminal=True) is Terminal.SIXEL
    for plain in ({"TERM": "xterm-256color"}, {"TERM": "screen", "KITTY_WINDOW_ID": "1"}, {}):
        assert Terminal.of(plain, is_terminal=True) is None
    assert Terminal.of({"TERM": "xterm-kitty"}, is_terminal=False) is None

    kitty = Terminal.KITTY.shown(picture)
    assert kitty.startswith("\x1b_Ga=T,f=100")
    assert kitty.endswith("\x1b\\")
    assert base64.b64encode(picture).decode() in Terminal.ITERM.shown(picture)
    sixel = Terminal.SIXEL.shown(picture)
    assert sixel.startswith('\x1bPq"1;1;40;30#0;2;')
    assert sixel.endswith("-".join(["#0!40~"] * 5) + "\x1b\\"), "thirty rows are five bands"


def test_searches_are_saved_run_watched_and_removed(protected: Home, photographs: dict[str, Image.Image]) -> None:
    query = protected.folder / "query.png"
    photographs["coffee"].save(query)
    protected.guardian("search", "save", "style", query, "--by", "look", "--in", "assets", "--top", "1")
    kept = list((protected.folder / "data" / "searches").rglob("*"))
    query.unlink()
    (line,) = protected.guardian("search", "run", "style", "--json").stdout.splitlines()
    assert len(protected.guardian("search", "run", "style", "--json", "--top", "2").stdout.splitlines()) == 2
    assert json.loads(line)["asset"]["title"] == "coffee"

    assert "no search 'other'" in protected.guardian("search", "run", "other", code=2).stderr
    saved = protected.guardian("search", "save", "words", "--text", "coffee").stdout
    assert saved.startswith("saved as words: `guardian search run words` asks it again")
    assert "compares looks" in protected.guardian("search", "watch", "words", "--above", "0.5", code=2).stderr
    watched = protected.guardian("search", "watch", "style", "--above", "0.7", "--severity", "high").stdout
    assert watched == "style watches what is met from now on, but nobody is told: no destination wants watch.found\n"
    style, words = map(json.loads, protected.guardian("search", "list", "--json").stdout.splitlines())
    assert (style["name"], style["watch"]) == ("style", {"above": 0.7, "severity": "high"})
    assert (words["asked"]["text"], words["watch"]) == ("coffee", None)
    assert protected.guardian("search", "unwatch", "style").stdout == "style watches no more; the search stays\n"
    assert protected.guardian("search", "unwatch", "style").stdout == "style did not watch\n"
    assert [one["watch"] for one in protected.lines("search", "list", "--json")] == [None, None]
    assert "no search 'nothing'" in protected.guardian("search", "unwatch", "nothing", code=2).stderr
    assert protected.guardian("search", "remove", "style").stdout == "removed style\n"
    assert not any(path.is_file() for path in kept), "the picture goes with it"
    protected.guardian("search", "save", "style", "--colour", "navy")
    protected.guardian("search", "watch", "style", "--above", "0.7")
    assert protected.guardian("search", "remove", "style").stdout == "removed style; it watches no more\n"
    assert protected.guardian("search", "list").stdout == "words: --text 'coffee'\n"
    protected.guardian("search", "remove", "words")
    assert protected.guardian("search", "list").stdout.startswith("no search is saved; ")
