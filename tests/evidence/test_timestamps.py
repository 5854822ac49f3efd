"""Time stamps: asked for in turn and again, and refused when they are not good."""

import asyncio
import contextlib
from datetime import timedelta
from pathlib import Path

import pytest

from guardian.errors import UsageError
from guardian.evidence.settings import TimestampSettings
from guardian.evidence.timestamps import NoTimestamp, Stamp, check, roots_in, stamp
from guardian.fetch.trusted import TrustedClient
from tests.evidence.authority import Authority

CONTENT = b'{"a":1}'
SOON = timedelta(milliseconds=5)


def ask(*authorities: TimestampSettings, patience: timedelta = timedelta(0)) -> Stamp:
    async def asked() -> Stamp:
        async with TrustedClient() as client:
            return await stamp(client, authorities, CONTENT, patience, SOON)

    return asyncio.run(asked())


def test_an_authority_that_is_away_is_passed_over(authority: Authority, authority_url: str) -> None:
    gone = TimestampSettings(url="http://127.0.0.1:9/tsa", ca_file=authority.root)
    given = ask(gone, TimestampSettings(url=authority_url, ca_file=authority.root))
    assert check(given.answer, given.chain, CONTENT, ()).authority == "CN=Clock of the test"


def test_they_are_asked_again_until_patience_is_over(authority: Authority, authority_url: str) -> None:
    here = TimestampSettings(url=authority_url, ca_file=authority.root)
    authority.failures = 2
    assert ask(here, patience=timedelta(seconds=30)).answer
    authority.failures = 1
    with pytest.raises(NoTimestamp, match="HTTP status 503"):
        ask(here)


def test_a_password_in_the_address_of_an_authority_is_not_told(authority: Authority, authority_url: str) -> None:
    secret = authority_url.replace("://", "://me:very-secret@") + "?key=very-secret"
    gone = TimestampSettings(url="http://me:very-secret@127.0.0.1:9/tsa?key=very-secret", ca_file=authority.root)
    with pytest.raises(NoTimestamp, match=r"127\.0\.0\.1:9/tsa gave no answer") as raised:
        ask(gone, TimestampSettings(url=secret))
    assert "very-secret" not in str(raised.value)


def test_a_root_that_nobody_knows_is_said(authority_url: str) -> None:
    with pytest.raises(NoTimestamp, match="ca_file"):
        ask(TimestampSettings(url=authority_url))


def test_a_root_that_the_answer_itself_brings_is_not_known(tmp_path: Path, authority: Authority) -> None:
    """Anybody between could stamp with a certificate of their own making."""
    with Authority(tmp_path, is_of_root=False).served() as url:
        for ca_file in (None, authority.root):
            with pytest.raises(NoTimestamp, match="ca_file"):
                ask(TimestampSettings(url=url, ca_file=ca_file))


def test_an_answer_of_something_else_is_said(site: object, authority: Authority) -> None:
    with pytest.raises(NoTimestamp, match=r"status|no time stamp"):
        ask(TimestampSettings(url=site.page("index.html"), ca_file=authority.root))  # type: ignore[attr-defined]


def test_a_stamp_of_other_bytes_or_another_root_is_not_good(
    authority: Authority, authority_url: str, tmp_path: Path
) -> None:
    given = ask(TimestampSettings(url=authority_url, ca_file=authority.root))
    with pytest.raises(ValueError, match="Mismatch"):
        check(given.answer, given.chain, b"other", ())
    stranger = Authority(tmp_path).root.read_bytes()
    with pytest.raises(ValueError, match="certificate"):
        check(given.answer, stranger, CONTENT, ())
    with pytest.raises(ValueError, match="as they were written"):
        check(given.answer, b"a comment\n" + given.chain, CONTENT, ())


def test_a_changed_answer_or_certificate_is_never_taken_for_another_one(
    authority: Authority, authority_url: str
) -> None:
    """The signed parts are noticed; what nobody signs (a text about the status, say) changes nothing that is told."""
    given = ask(TimestampSettings(url=authority_url, ca_file=authority.root))
    told = check(given.answer, given.chain, CONTENT, ())
    for place in range(0, len(given.answer), 7):
        changed = bytearray(given.answer)
        changed[place] ^= 8
        with contextlib.suppress(ValueError):
            assert check(bytes(changed), given.chain, CONTENT, ()) == told
    for place in range(0, len(given.chain), 5):
        changed = bytearray(given.chain)
        changed[place] ^= 1
        with pytest.raises(ValueError, match=r".+"):
            check(given.answer, bytes(changed), CONTENT, ())


def test_a_file_without_certificates_is_said(tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_text("nothing")
    with pytest.raises(UsageError, match="no certificate"):
        roots_in(tmp_path / "root.pem")
    with pytest.raises(UsageError, match="cannot read"):
        roots_in(tmp_path / "gone.pem")
