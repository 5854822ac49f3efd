"""`guardian notice`, `case timeline` and `recheck` as a person runs them."""

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from guardian.cases import Kept, RecordedUse, record
from guardian.model import Action, Audience, Comparison, Context, Decision, LicenceStatus, Severity, Sighting
from guardian.shipped import rules_folder
from tests.cli.home import Home
from tests.conftest import Site
from tests.databases import store_in

CONFIG = """
data_dir: data
rules_dir: {rules}
fetch: {{contact: test@example.com, allow_networks: [127.0.0.0/8], delay_per_host: 0s}}
matching: {{workers: 1}}
owner:
  name: Ada Example Ltd
  address: 1 High Street, Example Town
  email: rights@ada.example
  phone: "+1 555 0100"
  signs_as: Ada Example, director
notices: {{four_eyes: true, templates: mine}}
"""
PICTURE = b"\x89PNG\r\n\x1a\n" + b"a picture of which only the beginning is looked at"
CONSIDERED = ("--licence", "asked the sales team, none was sold", "--exceptions", "a whole copy in a shop")


@dataclass
class Desk:
    """A folder with one case at a site of this machine."""

    home: Home
    site: Site
    case: str

    def notice(self, *words: str | Path, code: int = 0) -> str:
        return self.home.guardian("notice", *words, code=code).stdout

    def refused(self, *words: str | Path, code: int = 2) -> str:
        return self.home.guardian("notice", *words, code=code).stderr

    def drafted(self, *words: str | Path) -> str:
        done = self.home.guardian("notice", "draft", self.case, "--by", "mara", "--json", *words)
        notice_id: str = json.loads(done.stdout)["id"]
        return notice_id


@pytest.fixture
def desk(tmp_path: Path, site: Site) -> Desk:
    (tmp_path / "config.yaml").write_text(CONFIG.format(rules=rules_folder()))
    (tmp_path / "mine").mkdir()
    page = site.page("page.html", "copy.png")
    (site.folder / "copy.png").write_bytes(PICTURE)
    store = store_in(tmp_path / "data")
    at = datetime.now(UTC) - timedelta(days=2)
    with store.begin() as tx:
        asset = tx.assets.reserve("a" * 64, title="Düne", collection="shop", path="/a.jpg", size=(800, 600), at=at)
        use = RecordedUse(
            Sighting("web", f"{page.rpartition('/')[0]}/copy.png", page, at, Context()),
            hashlib.sha256(PICTURE).hexdigest(),
            asset,
            Comparison(0.98765, description="cropped to 41 %"),
            LicenceStatus.NONE,
            Decision(Action.ALERT, "copies", Severity.HIGH),
            at,
            Kept(None),
        )
        finding = record(tx, use, Audience(("legal",)))
    store.close()
    return Desk(Home(tmp_path), site, finding.case_id or "")


def test_from_draft_to_counter_notice(desk: Desk, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shown = desk.home.guardian(
        "notice", "draft", desk.case, "--kind", "dmca", "--lang", "de", "--to", "abuse@shop.example", "--by", "mara",
        "--out", out,
    )  # fmt: skip
    assert "nobody has confirmed" in shown.stderr
    notice_id = next(out.glob("*.pdf")).stem
    text, pdf, mail = (out / f"{notice_id}.{suffix}" for suffix in ("txt", "pdf", "eml"))
    assert len(list(out.iterdir())) == 4
    assert "„Düne“" in text.read_text(encoding="utf-8")
    assert pdf.read_bytes().startswith(b"%PDF-")
    assert b"To: abuse@shop.example" in mail.read_bytes()

    # Everything that is open is named; nothing is recorded as sent before.
    said = desk.refused("sent", notice_id, "--to", "abuse@shop.example", "--by", "jo")
    assert all(word in said for word in ("licence check", "fair use", "approved"))
    assert all(
        command in said for command in (" --licence '", " --exceptions '", "notice approve ", "notice verify ")
    ), "the command line says how"
    assert "licence check" in desk.refused("approve", notice_id, "--by", "jo")
    desk.notice("consider", notice_id, *CONSIDERED, "--by", "mara")
    assert "four_eyes" in desk.refused("approve", notice_id, "--by", "mara")
    desk.notice("approve", notice_id, "--by", "jo")

    # A page that is gone stops it; one that is live lets it out.
    page = desk.site.folder / "page.html"
    content = page.read_text()
    page.unlink()
    assert "the page answers 404" in desk.notice("verify", notice_id, code=1)
    page.write_text(content)
    desk.notice("verify", notice_id)
    kept = desk.notice("sent", notice_id, "--to", "abuse@shop.example", "--by", "jo", "--file", mail).split()[-1]
    assert (tmp_path / "data" / "notices" / kept[:2] / kept).read_bytes() == mail.read_bytes()
    (line,) = desk.home.lines("case", "list", "--json")
    assert (line["state"], line["reviewed_by"]) == ("notice_sent", "jo")

    today = datetime.now(UTC).date()
    said = desk.notice("counter", notice_id, "--received", today.isoformat(), "--by", "jo")
    assert "17 U.S.C. 512(g)(2)(C)" in said
    (row,) = desk.home.lines("notice", "list", "--json", "--state", "countered")
    assert [one["step"] for one in row["history"]] == [
        "drafted", "licence_checked", "considered", "approved", "not_verified", "verified", "sent", "countered",
    ]  # fmt: skip

    story = json.loads(desk.home.guardian("case", "timeline", desk.case, "--json").stdout)["entries"]
    assert [entry["at"] for entry in story] == sorted(entry["at"] for entry in story)
    kinds = [entry["kind"] for entry in story]
    assert {"seen", "decided", "told", "notice", "rechecked"} <= set(kinds)
    assert sum(entry["planned"] and entry["kind"] == "rechecked" for entry in story) == 6
    page_of_it = desk.home.guardian("case", "timeline", desk.case).stdout
    assert "first seen at http://127.0.0.1" in page_of_it
    assert "sent to abuse@shop.example by jo" in page_of_it
    desk.home.guardian("audit", "verify")

    desk.notice("show", notice_id, "--copy", tmp_path / "as-sent.eml")
    assert (tmp_path / "as-sent.eml").read_bytes() == mail.read_bytes()
    # What was sent is checked with all other evidence.
    (tmp_path / "data" / "notices" / kept[:2] / kept).write_bytes(b"something else")
    (lost,) = desk.home.lines("evidence", "check", "--json", code=4)
    assert lost["of"].startswith(notice_id)
    assert lost["fault"] == "damaged"


def test_templates_are_copied_edited_and_checked(desk: Desk, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    assert "copied 24 templates" in desk.notice("templates", "--to", mine)
    assert "24 templates checked, nothing is wrong" in desk.notice("check")
    file = mine / "cease.fr.txt"
    file.write_text(file.read_text(encoding="utf-8").replace("{{ answer_by | day }}", "{{ answer_until | day }}"))
    said = desk.notice("check", code=1)
    assert said.startswith(f"{file}:")
    assert "there is no answer_until" in said
    assert "answer_until" in desk.refused("draft", desk.case, "--kind", "cease", "--lang", "fr")
    assert "copied 0 templates" in desk.notice("templates", "--to", mine)
    assert desk.notice("list") == "no notices\n"


def test_an_owner_without_data_is_told_what_is_missing(desk: Desk, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(config.read_text().replace('  phone: "+1 555 0100"\n', ""))
    notice_id = desk.drafted("--kind", "dmca")
    desk.notice("consider", notice_id, *CONSIDERED)
    said = desk.refused("sent", notice_id, "--to", "a@shop.example", "--by", "jo")
    assert "512(c)(3)(A)(iv)" in said
    assert "owner.phone" in said
    assert "[owner.phone is missing]" in desk.notice("show", notice_id)
    desk.notice("withdraw", notice_id, "--note", "the phone number is missing")
    assert "withdrawn already" in desk.refused("consider", notice_id, *CONSIDERED)
    shown = json.loads(desk.notice("show", notice_id, "--json"))
    assert (shown["state"], shown["open_points"]) == ("withdrawn", [])


def test_what_a_draft_lacks_is_said_with_the_command_that_gives_it(desk: Desk) -> None:
    fee = "--fee '250 EUR'"
    drafted = desk.home.guardian("notice", "draft", desk.case, "--kind", "licence-offer", "--by", "mara")
    assert fee in drafted.stderr.replace("\n  ", " ")
    offer = drafted.stdout.split()[0]
    assert fee in " ".join(desk.notice("show", offer).split())
    assert fee in desk.refused("approve", offer, "--by", "jo")

    store = store_in(desk.home.folder / "data")
    with store.begin() as tx:
        (asset,) = tx.assets.list()
        tx.assets.edit(replace(asset, title=""))
    store.close()
    drafted = desk.home.guardian("notice", "draft", desk.case, "--kind", "dmca", "--by", "mara")
    assert f"`guardian asset edit {asset.id} --title TITLE`" in " ".join(drafted.stderr.split())
