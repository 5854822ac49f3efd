"""`guardian check`: the JSON lines that others build on, and what people read."""

import base64
import io
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests import forked
from tests.cli.home import Home, made_home

KEYS = {"target", "image_url", "page_url", "also_at", "sha256", "outcome", "matches", "partial", "error", "elapsed_ms"}
MEASURED = {
    "hash_distance",
    "keypoint_inliers",
    "asset_coverage",
    "candidate_coverage",
    "transform",
    "aligned_similarity",
    "embedding_similarity",
    "description",
}


@pytest.fixture
def pictures(tmp_path: Path, photographs: dict[str, Image.Image]) -> Path:
    """A copy, a stranger, a torn file and a text, one by way of a link, one in a linked folder."""
    folder = tmp_path / "pictures"
    (folder / "b").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    cut = photographs["astronaut"].crop((0, 0, 420, 420)).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    cut.save(tmp_path / "elsewhere" / "copy.jpg", quality=75)
    (folder / "a.jpg").symlink_to(tmp_path / "elsewhere" / "copy.jpg")
    (folder / "b" / "z.txt").write_text("no picture")
    (folder / "b" / "torn.jpg").write_bytes(b"\xff\xd8\xff no picture")
    (folder / "c").symlink_to(tmp_path / "elsewhere")
    photographs["rocket"].save(folder / "d.jpg")
    (folder / "e.jpg").symlink_to(tmp_path / "nowhere")
    (folder / "up").symlink_to(folder)
    return folder


def test_json_lines_keep_the_contract(protected: Home, pictures: Path, tmp_path: Path) -> None:
    lines = protected.lines("check", "--json", pictures / "d.jpg", pictures, tmp_path / "none.png", code=1)
    expected = [
        ("d.jpg", "clear"),
        ("a.jpg", "copy"),
        ("b/torn.jpg", "unmatchable"),
        ("b/z.txt", "unmatchable"),
        ("c/copy.jpg", "copy"),
        ("d.jpg", "clear"),
        ("e.jpg", "error"),
        ("../none.png", "error"),
    ]
    assert [(Path(os.path.relpath(line["target"], pictures)).as_posix(), line["outcome"]) for line in lines] == expected
    for line in lines:
        assert set(line) >= KEYS
        assert (line["page_url"], line["also_at"], line["partial"]) == (None, [], False)
        assert line["elapsed_ms"] > 0 or line["outcome"] == "error"
        assert (line["error"] is None) == (line["outcome"] not in ("unmatchable", "error"))
        assert line["image_url"].startswith("file:///")
    assert lines[-1]["sha256"] is None
    assert lines[2]["sha256"] is not None
    (match, *_) = lines[1]["matches"]
    assert match["asset"].keys() == {"id", "title", "path", "collection"}
    assert match["asset"]["path"] == str(protected.folder.parent / "mine" / "astronaut.png")
    assert match["decision"].keys() == {"action", "rule", "severity"}
    assert match["decision"]["action"] == "alert"
    assert match["licence"] == "none"
    assert set(match["comparison"]) >= MEASURED
    assert match["comparison"]["embedding_similarity"] is None, "not measured is null, never 0"
    assert match["comparison"]["transform"]["mirrored"] is True
    assert "mirrored" in match["comparison"]["description"]


def test_a_page_with_inline_pictures_and_one_picture_twice(
    protected: Home, pictures: Path, site: Any, photographs: dict[str, Image.Image]
) -> None:
    copy = (pictures / "a.jpg").read_bytes()
    (site.folder / "copy.jpg").write_bytes(copy)
    (site.folder / "same.jpg").write_bytes(copy)
    photographs["coffee"].save(buffer := io.BytesIO(), "JPEG", quality=60)
    inline = f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
    page = site.page("page.html", "copy.jpg", inline, "same.jpg", "missing.jpg")
    first, second, third = protected.lines("check", "--json", page, code=1)
    assert [line["target"] for line in (first, second, third)] == [page] * 3
    assert [line["page_url"] for line in (first, second, third)] == [page] * 3
    assert (first["image_url"], first["also_at"]) == (f"{site.url}/copy.jpg", [f"{site.url}/same.jpg"])
    assert (second["image_url"], second["outcome"]) == (None, "copy")
    assert (third["image_url"], third["outcome"]) == (f"{site.url}/missing.jpg", "error")
    assert "404" in third["error"]


def test_what_an_address_shows_is_recorded_when_asked(own: Home, pictures: Path, site: Any) -> None:
    refused = own.guardian("check", "--record", pictures / "a.jpg", code=2)
    assert "a.jpg has no place that could be recorded; --record takes addresses only" in refused.stderr

    (site.folder / "copy.jpg").write_bytes((pictures / "a.jpg").read_bytes())
    page = site.page("page.html", "copy.jpg")
    own.lines("check", "--json", page, code=1)
    assert own.lines("case", "list", "--json") == []
    said = own.guardian("check", "--record", page, code=1).stdout
    assert "`guardian case list` shows cases" in " ".join(said.split())
    (case,) = own.lines("case", "list", "--json")
    assert (case["state"], case["sightings"]) == ("open", 1)
    noted = [line for line in own.lines("audit", "list", "--json") if line["action"] == "check.recorded"]
    assert [line["detail"] for line in noted] == [{"address": page}]


def test_all_shows_what_the_rules_ignore(own: Home, pictures: Path) -> None:
    for file in (own.folder / "rules").iterdir():
        file.unlink()
    (own.folder / "rules" / "strict.yaml").write_text(
        "rules:\n  - name: never\n    when: {probability: {at_least: 0.5}}\n    then: ignore\n"
    )
    (hidden,) = own.lines("check", "--json", pictures / "a.jpg")
    (shown,) = own.lines("check", "--json", "--all", pictures / "a.jpg")
    assert (hidden["outcome"], hidden["matches"]) == ("clear", [])
    assert shown["outcome"] == "clear"
    probabilities = [match["probability"] for match in shown["matches"]]
    assert probabilities == sorted(probabilities, reverse=True)
    assert shown["matches"][0]["decision"] == {"action": "ignore", "rule": "never", "severity": None}
    assert "ignored by rule “never”" in own.guardian("check", "--all", pictures / "a.jpg").stdout


def test_people_read_what_was_found(protected: Home, pictures: Path) -> None:
    said = protected.guardian("check", pictures / "a.jpg", pictures / "d.jpg", code=1).stdout
    assert "\x1b" not in said
    first, *_ = said.splitlines()
    assert first.startswith(f"COPY        {pictures}/a.jpg")
    assert "“astronaut”  press/asset_" in said
    assert "mirrored" in said
    assert said.splitlines()[-1] == "2 images, compared with 2 protected assets: 1 copy, 1 clear"


@pytest.mark.parametrize(
    ("targets", "code"),
    [
        (["d.jpg"], 0),
        (["b/torn.jpg", "d.jpg"], 3),
        (["e.jpg", "d.jpg"], 3),
        (["http://169.254.169.254/latest"], 3),
        (["e.jpg", "a.jpg"], 1),
        ([""], 2),
        ([], 2),
    ],
)
def test_exit_codes(
    protected: Home, pictures: Path, monkeypatch: pytest.MonkeyPatch, targets: list[str], code: int
) -> None:
    monkeypatch.chdir(pictures)
    protected.guardian("check", *targets, code=code)


def test_too_plain_is_an_answer_and_no_failure(protected: Home, tmp_path: Path) -> None:
    Image.new("RGB", (400, 300), "white").save(tmp_path / "white.png")
    (line,) = protected.lines("check", "--json", tmp_path / "white.png", code=0)
    assert (line["outcome"], line["error"].partition(":")[0]) == ("unmatchable", "too_plain")


def test_damage_of_the_index_is_mended_before_the_answer(own: Home, pictures: Path) -> None:
    path = next((own.folder / "data" / "index").rglob("descriptors.npy"))
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 1
    path.write_bytes(whole)
    mended = own.guardian("check", pictures / "a.jpg", code=1)
    assert "is made anew now" in mended.stderr
    assert "COPY" in mended.stdout
    assert own.guardian("index", "verify").stdout == "the index is sound: 2 assets\n"
    assert own.guardian("check", pictures / "a.jpg", code=1).stderr == ""


def test_names_that_are_no_text_come_back_from_json(protected: Home, tmp_path: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/d\xfcne \xe2\x80\xae\n.png"))
    noise = np.random.default_rng(3).integers(0, 255, (200, 200, 3), np.uint8)
    Image.fromarray(noise).save(odd)
    said = protected.guardian("check", "--json", odd).stdout
    assert json.loads(said.encode("utf-8", "strict"))["target"] == str(odd)
    assert said.count("\n") == 1


def test_a_name_that_is_too_long_is_an_error_of_that_target_alone(protected: Home, pictures: Path) -> None:
    lines = protected.lines("check", "--json", "n" * 300, pictures / "d.jpg", code=3)
    assert [line["outcome"] for line in lines] == ["error", "clear"]


@pytest.mark.parametrize(
    ("html", "reason"),
    [
        ("<div id=root></div><script src=a.js></script>", "needs_browser"),
        ("<p>only words", "no_pictures"),
        ("<img src=icon.png width=16 height=16><img src=logo.svg>", "no_pictures"),
    ],
)
def test_a_page_on_which_nothing_was_seen_is_not_clean(protected: Home, site: Any, html: str, reason: str) -> None:
    (site.folder / "page.html").write_text(html)
    page = f"{site.url}/page.html"
    lines = protected.lines("check", "--json", page, code=3)
    assert {line["outcome"] for line in lines} == {"not_seen"}
    assert {line["target"] for line in lines} == {page}
    assert set(lines[0]) >= KEYS
    assert lines[-1]["reason"] == reason
    said = protected.guardian("check", page, code=3).stdout
    assert f"NOT SEEN    {page}" in said
    assert "0 images" in said


def test_a_part_of_a_page_that_is_not_seen_is_named(protected: Home, site: Any, pictures: Path) -> None:
    (site.folder / "stranger.jpg").write_bytes((pictures / "d.jpg").read_bytes())
    (site.folder / "page.html").write_text(
        "<link rel=stylesheet href=gone.css><img src=stranger.jpg><img src=i.png width=9 height=9>"
    )
    page = f"{site.url}/page.html"
    seen, icon, sheet = protected.lines("check", "--json", page, code=3)
    assert (seen["outcome"], icon["reason"], sheet["reason"]) == ("clear", "too_small", "status_404")
    assert sheet["url"] == f"{site.url}/gone.css"
    said = protected.guardian("check", page, code=3).stdout
    assert "gone.css" in said
    assert "i.png" not in said
    assert said.splitlines()[-1].endswith("1 clear, 2 left out (too small to be a picture 1; no longer there (404) 1)")
    # Icons alone do not keep a page from being clean.
    (site.folder / "page.html").write_text("<img src=stranger.jpg><img src=i.png width=9 height=9>")
    assert [line["outcome"] for line in protected.lines("check", "--json", page)] == ["clear", "not_seen"]


def test_a_file_above_the_working_folder_has_a_plain_address(protected: Home, pictures: Path) -> None:
    words = ("--config", protected.folder / "config.yaml", "check", "--json", "../d.jpg")
    done = forked.guardian(*words, cwd=pictures / "b")
    assert done.returncode == 0, done.stderr
    line = json.loads(done.stdout)
    assert (line["target"], line["image_url"]) == ("../d.jpg", (pictures / "d.jpg").as_uri())


def test_a_host_without_its_scheme_is_answered_with_advice(protected: Home) -> None:
    (line,) = protected.lines("check", "--json", "shop.example", code=3)
    assert line["error"].startswith("missing: there is no file ")
    assert line["error"].endswith("/shop.example; for the site write https://shop.example")
    said = protected.guardian("source", "try", "shop.example", code=2).stderr
    assert "for the site write https://shop.example" in said


def test_folders_without_files_are_not_clean(protected: Home, tmp_path: Path) -> None:
    (tmp_path / "empty" / ".hidden").mkdir(parents=True)
    (line,) = protected.lines("check", "--json", tmp_path / "empty", code=3)
    assert (line["outcome"], line["reason"], line["target"]) == ("not_seen", "no_pictures", str(tmp_path / "empty"))


def test_comparing_with_nothing_is_not_clean(tmp_path: Path, pictures: Path) -> None:
    home = made_home(tmp_path / "home")
    assert "nothing is protected yet" in home.guardian("check", "--json", pictures / "d.jpg", code=3).stderr


def test_the_frames_of_a_page_are_part_of_it_and_others_are_named(protected: Home, site: Any, pictures: Path) -> None:
    (site.folder / "copy.jpg").write_bytes((pictures / "a.jpg").read_bytes())
    inner = site.page("inner.html", "copy.jpg")
    hidden = "<iframe src=https://tracker.example/ height=0></iframe>"
    (site.folder / "page.html").write_text(
        f"<iframe src=inner.html></iframe><iframe src=https://films.example/7></iframe>{hidden}<iframe src=gone.html>"
    )
    copy, other, gone = protected.lines("check", "--json", f"{site.url}/page.html", code=1)
    assert (copy["outcome"], copy["page_url"], copy["target"]) == ("copy", inner, f"{site.url}/page.html")
    assert (other["reason"], other["url"], other["partial"]) == ("elsewhere", "https://films.example/7", False)
    assert (gone["reason"], gone["url"], gone["partial"]) == ("status_404", f"{site.url}/gone.html", True)


def test_a_file_that_lacks_its_end_is_not_clean(protected: Home, pictures: Path, tmp_path: Path) -> None:
    whole = (pictures / "d.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) * 2 // 3])
    (line,) = protected.lines("check", "--json", tmp_path / "cut.jpg", code=3)
    assert (line["outcome"], line["partial"], line["incomplete"]) == ("partial", True, "the file lacks its end")
