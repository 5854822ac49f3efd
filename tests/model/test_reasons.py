"""Every reason has its words, reaches as far as it should, and is read again from what earlier versions stored."""

import re
from pathlib import Path

import pytest

from guardian.errors import FetchFailed, FetchRefused
from guardian.model import Retry, Scope, Skipped, SkipReason, label_of, read_reason, reason_word

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "crawling.md"


def of(**facts: Scope | Retry) -> set[str]:
    """The words of all reasons with these properties."""
    return {reason.value for reason in SkipReason if all(getattr(reason, name) is fact for name, fact in facts.items())}


@pytest.mark.parametrize("reason", SkipReason)
def test_every_reason_has_words_that_people_read(reason: SkipReason) -> None:
    assert re.fullmatch("[a-z]+(_[a-z]+)*", reason.value)
    assert reason.label
    assert not reason.label.endswith(".")
    assert re.fullmatch(r"[A-Z].*\.", reason.explanation)
    assert isinstance(reason.scope, Scope)
    assert isinstance(reason.retry, Retry)
    assert label_of(reason.value) == reason.label


def test_labels_and_explanations_tell_reasons_apart() -> None:
    assert len({reason.label for reason in SkipReason}) == len(SkipReason)
    assert len({reason.explanation for reason in SkipReason}) == len(SkipReason)


def test_what_may_be_asked_again_and_when() -> None:
    assert of(retry=Retry.AT_ONCE) == {"broken", "timeout", "connect"}
    assert of(retry=Retry.LATER) == {"host_busy", "host_silent", "budget"}
    assert of(retry=Retry.AT_ONCE, scope=Scope.OURSELVES) == set()


def test_what_a_reason_says_about_other_addresses() -> None:
    assert of(scope=Scope.HOST) == {"robots_unreachable", "address", "timeout", "dns", "connect", "tls", "broken"}
    by_sites = {"budget", "host_busy", "host_silent"}
    assert of(scope=Scope.OURSELVES) == by_sites | {"crashed", "worker_killed", "timed_out", "set_aside", "internal"}
    refused_for_one = {"robots", "too_large", "not_an_image", "redirects", "redirect_loop", "encoding", "scheme"}
    assert refused_for_one | {"bad_address", "http_status"} <= of(scope=Scope.ADDRESS)


def test_only_icons_plain_areas_and_drawings_hide_no_copy() -> None:
    assert {reason for reason in SkipReason if not reason.may_hide_a_copy} == {
        "too_small",
        "too_plain",
        "vector",
        "elsewhere",
    }


@pytest.mark.parametrize("reason", SkipReason)
def test_a_stored_word_means_its_reason_again(reason: SkipReason) -> None:
    assert read_reason(reason_word(reason)) == (reason, None)


def test_a_status_is_stored_as_one_word() -> None:
    assert reason_word(SkipReason.HTTP_STATUS, 404) == "status_404"
    assert read_reason("status_404") == (SkipReason.HTTP_STATUS, 404)
    assert Skipped("https://a.example/", SkipReason.HTTP_STATUS, status=404).word == "status_404"
    labels = [label_of(f"status_{status}") for status in (403, 404, 500)]
    assert labels == ["the site refused (403)", "no longer there (404)", "the site answered 500"]


@pytest.mark.parametrize(
    "word", ["", "status", "status_", "status_x", "status_²", "ROBOTS", "left out: robots", "later"]
)
def test_an_unknown_word_is_no_reason_but_is_shown(word: str) -> None:
    with pytest.raises(ValueError, match="not a reason"):
        read_reason(word)
    assert label_of(word) == word.replace("_", " ")


def test_an_error_says_what_is_left_out_because_of_it() -> None:
    url = "https://a.example/"
    assert FetchRefused(SkipReason.ROBOTS, url, "said so").skipped == Skipped(url, SkipReason.ROBOTS, "said so")
    gone = FetchFailed(SkipReason.HTTP_STATUS, url, "gone", 410)
    assert gone.skipped == Skipped(url, SkipReason.HTTP_STATUS, "gone", 410)
    assert "status_410" in str(FetchFailed(SkipReason.HTTP_STATUS, url, status=410))


def test_the_document_lists_every_reason_with_its_explanation() -> None:
    rows = dict(re.findall(r"^\| `([a-z_0-9]+)` \| (.+) \|$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE))
    shown = {"status_404" if reason is SkipReason.HTTP_STATUS else reason.value: reason for reason in SkipReason}
    assert {word: rows.get(word) for word in shown} == {word: reason.explanation for word, reason in shown.items()}
