"""Notices in the desk: drafted from a case or an operator, stepped through, refused with what is missing; the story."""

import re

import pytest

from guardian.model.notices import NoticeState
from guardian.notices.drafting import NoticeConfig
from guardian.notices.settings import NoticeSettings, OwnerSettings
from guardian.notices.steps import StepAuthor, note_verified
from guardian.people.signing_in import actor_of
from tests.web.conftest import Served
from tests.web.uses import picture_bytes, protected, used

OWNER = OwnerSettings(name="Ada", address="Here", email="ada@example.com", phone="1", signs_as="Ada")


@pytest.fixture(scope="module", autouse=True)
def case_id(served: Served) -> str:
    object.__setattr__(served.desk, "notice_config", NoticeConfig(OWNER, NoticeSettings(four_eyes=True)))
    asset = protected(served.desk, picture_bytes(3), "Lake <script>")
    return used(served.desk, asset, picture_bytes(3), "https://www.thief.example/lake").id


def test_a_notice_from_the_case_to_the_counter_notice(served: Served, case_id: str) -> None:
    rita, anna = served.signed_in("Rita"), served.signed_in("Anna")
    assert "Draft a notice" in rita.get(f"/cases/{case_id}").text
    drafted = rita.post(
        "/notices", data={"case": case_id, "kind": "dmca", "language": "fr", "to": "abuse@thief.example"}
    )
    assert drafted.status_code == 303
    path = drafted.headers["location"]
    text = rita.get(path).text
    assert "17 U.S.C. § 512(c)(3)" in text
    assert "Lake &lt;script&gt;" in text
    assert "nobody has recorded a licence check" in text
    assert "look at both pictures first" in text, "what the command line says of a draft stands here too"
    assert rita.get(f"{path}/copy").status_code == 400

    refused = rita.post(f"{path}/approve")
    assert refused.status_code == 400
    assert "fair use" in refused.text
    words = {"licence": "asked the sales team", "exceptions": "a whole copy in a shop"}
    assert rita.post(f"{path}/consider", data=words).status_code == 303
    assert "four_eyes" in rita.post(f"{path}/approve").text
    assert anna.post(f"{path}/approve").status_code == 303
    assert "addresses are live" in anna.post(f"{path}/sent", data={"to": "abuse@thief.example"}).text
    # The desk of this test visits no site.
    assert anna.post(f"{path}/verify").status_code == 400
    notice_id = path.rpartition("/")[2]
    with served.store.begin() as tx:
        person = next(one for one in tx.people.all() if one.name == "Anna")
        note_verified(tx, notice_id, {}, StepAuthor("Anna", served.desk.clock(), actor_of(person, None)))
    sent = anna.post(
        f"{path}/sent", data={"to": "abuse@thief.example"}, files={"sent_copy": ("sent.eml", b"From: ada")}
    )
    assert sent.status_code == 303
    with served.store.read() as tx:
        notice = tx.notices.get(notice_id)
        assert notice is not None
        assert notice.state is NoticeState.SENT
        assert served.desk.notice_copies.get(notice.history[-1].detail["copy_sha256"]) == b"From: ada"
    assert "What was sent, as it was kept" in anna.get(path).text
    assert "autofocus>Recorded as sent.</div>" in anna.get(f"{path}?done=sent").text
    assert anna.get(f"{path}/copy").content == b"From: ada"
    day = served.desk.clock().date().isoformat()
    assert anna.post(f"{path}/counter", data={"received": day}).status_code == 303
    assert "counter notice received" in anna.get(path).text
    assert "restored between" in anna.get("/notices").text
    history = anna.get(path).text.partition('id="h-history"')[2]
    steps = (
        "drafted by",
        "licences checked",
        "exceptions considered",
        "approved",
        "found live",
        "sent to",
        "counter notice",
    )
    assert sorted(steps, key=history.index) == list(steps), "in the order in which they happened"
    assert '<h3 lang="fr">Courriel</h3>' in anna.get(path).text, "each field of a form has a block of its own"
    served.desk.notice_copies.path_of(notice.history[-1].detail["copy_sha256"]).unlink()
    assert "not whole in the data folder" in anna.get(f"{path}/copy").text

    story = anna.get(f"/cases/{case_id}/timeline").text
    assert "sent to abuse@thief.example by Anna" in story
    assert "to come: its places are looked at again" in story
    assert f'href="{path}"' in anna.get("/notices?operator=thief.example").text
    assert f'href="{path}"' in anna.get("/operators/show?name=thief.example").text


def test_files_of_a_notice_are_given_by_their_names_alone(served: Served, case_id: str) -> None:
    rita = served.signed_in("Rita")
    path = rita.post("/notices", data={"case": case_id, "kind": "cease", "language": "en"}).headers["location"]
    names = re.findall(rf'href="{path}/files/([^"]+)"', rita.get(path).text)
    assert [name.partition(".")[2] for name in names] == ["pdf", "eml", "txt", "form.txt"]
    got = rita.get(f"{path}/files/{names[0]}")
    assert got.content.startswith(b"%PDF-")
    assert "attachment" in got.headers["content-disposition"]
    assert rita.get(f"{path}/files/..%2f..%2fguardian.db").status_code == 404
    assert '<input type="checkbox" required> It has gone out' in rita.get(path).text, "asked once before it is recorded"
    assert rita.post(f"{path}/withdraw", data={"note": "a test"}).headers["location"] == f"{path}?done=withdraw"


def test_who_only_reads_drafts_nothing(served: Served, case_id: str) -> None:
    vera = served.signed_in("Vera")
    assert vera.get("/notices").status_code == 200
    assert "Draft it" not in vera.get(f"/cases/{case_id}").text
    assert vera.post("/notices", data={"case": case_id, "kind": "dmca", "language": "en"}).status_code == 403
    assert vera.post(f"/cases/{case_id}/recheck").status_code == 403
    assert vera.get("/notices/notice_none").status_code == vera.get("/cases/case_none/timeline").status_code == 404
