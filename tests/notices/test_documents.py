"""Text, form, PDF and mail draft: the same words in each, and nothing that a page wrote does harm in any."""

import re
from dataclasses import replace
from email import message_from_bytes
from email.policy import default
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader

from guardian.errors import UsageError
from guardian.notices.documents import documents_of, mail_of, write_documents
from guardian.notices.pdf import pdf_of
from guardian.notices.settings import OwnerSettings
from tests.notices.conftest import OWNER, Bench

HOSTILE = "</para><b>x\r\nBcc: victim@example.com\x00\u202e) Tj ET /JS (app.alert(1)) endobj ключ 写真"


def test_a_mail_draft_has_the_text_and_the_pdf(bench: Bench) -> None:
    notice = bench.draft(bench.used("https://thief.example/1"), recipient="abuse@thief.example").notice
    mail = message_from_bytes(mail_of(notice, OWNER), policy=default)
    assert str(mail["To"]) == "abuse@thief.example"
    assert str(mail["From"]) == '"Ada Example, director" <rights@ada.example>'
    assert (mail["Subject"], mail["X-Unsent"]) == (notice.subject, "1")
    body = mail.get_body()
    assert body is not None
    assert body.get_content().splitlines() == notice.text.splitlines()
    (attached,) = mail.iter_attachments()
    assert attached.get_content() == pdf_of(notice)


@pytest.mark.parametrize(
    "recipient", [HOSTILE, "a@b.example\r\nBcc: victim@example.com", "Nobody", "a@b.example, c@d.example"]
)
def test_no_header_can_be_added_to_a_mail(bench: Bench, recipient: str) -> None:
    notice = bench.draft(bench.used("https://thief.example/1")).notice
    hostile = replace(
        notice, recipient=recipient, subject=f"{HOSTILE} {'x' * 100_000}", text=f"{HOSTILE}\n{notice.text}"
    )
    owner = OWNER.model_copy(update={"signs_as": HOSTILE})
    mail = message_from_bytes(mail_of(hostile, owner), policy=default)
    assert set(map(str.lower, mail.keys())) == {"subject", "from", "x-unsent", "mime-version", "content-type"}
    assert len(str(mail["Subject"])) <= 300


@pytest.mark.parametrize(
    ("recipient", "written"),
    [
        ("abuse@bücher.example", "abuse@xn--bcher-kva.example"),
        ("a..b@docomo.example", "a..b@docomo.example"),
        ("grüße@thief.example", None),
        # A mail program would read victim@example.com out of it.
        ("=?utf-8?q?victim=40example=2Ecom=2C?=@thief.example", None),
    ],
)
def test_a_mail_goes_to_the_address_that_was_meant_or_to_nobody(
    bench: Bench, recipient: str, written: str | None
) -> None:
    notice = bench.draft(bench.used("https://thief.example/1"), recipient=recipient).notice
    head = mail_of(notice, OWNER).decode("ascii").partition("\r\n\r\n")[0]
    assert [line for line in head.splitlines() if line.startswith("To:")] == ([f"To: {written}"] if written else [])


def test_a_pdf_shows_hostile_text_as_text(bench: Bench) -> None:
    notice = replace(bench.draft(bench.used("https://thief.example/1")).notice, subject=HOSTILE)
    made = pdf_of(notice)
    assert made.startswith(b"%PDF-")
    assert made == pdf_of(notice)
    assert not re.search(rb"/(JS|JavaScript|OpenAction|AA)\b", made)


def test_a_long_word_and_many_lines_make_pages(bench: Bench) -> None:
    notice = bench.draft(bench.used("https://thief.example/1")).notice
    made = pdf_of(replace(notice, text="\n".join(["y" * 20_000, *["line"] * 500])))
    assert len(re.findall(rb"/Type /Page\b", made)) > 8


def test_no_heading_stands_alone_at_the_foot_of_a_page(bench: Bench) -> None:
    notice = bench.draft(bench.used("https://thief.example/1")).notice
    headings = set()
    for lines in range(46, 53):
        text = "\n".join([*["line"] * lines, "", "6. Time", "", "An answer is expected by then."])
        pages = [page.extract_text() for page in PdfReader(BytesIO(pdf_of(replace(notice, text=text)))).pages]
        number = next(number for number, page in enumerate(pages) if "6. Time" in page)
        assert "An answer is expected" in pages[number]
        headings.add(number)
    # The lines fill the first page to its foot, one after the other.
    assert headings == {0, 1}


def test_files_are_written_once_and_no_other_file_is_replaced(bench: Bench, tmp_path: Path) -> None:
    notice = bench.draft(bench.used("https://thief.example/1")).notice
    written = write_documents(notice, OWNER, tmp_path / "out")
    assert [path.suffixes for path in written] == [[".txt"], [".form", ".txt"], [".pdf"], [".eml"]]
    assert write_documents(notice, OWNER, tmp_path / "out") == written
    written[0].write_text("mine")
    with pytest.raises(UsageError, match="another file"):
        write_documents(notice, OWNER, tmp_path / "out")
    assert len(documents_of(notice, OwnerSettings())) == 4
