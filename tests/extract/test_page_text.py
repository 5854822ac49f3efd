"""What two pages have in common, by their elements and words."""

import time

from guardian.extract.page_text import in_common


def test_runs_that_both_have_are_in_common_as_often_as_there() -> None:
    page = ("<h1>", "we", "are", "back", "soon", "<p>", "lemon", "<p>")
    assert in_common(page, page) == page
    assert in_common(page, ("<div>", "we", "are", "back", "<p>", "soon")) == ("we", "are", "back")
    assert in_common(page, ("we", "are", "closed")) == (), "two words in a row are chance"
    assert in_common(("we", "are"), ("<p>", "we", "are")) == ("we", "are"), "all that there is"
    assert in_common(("a",) * 9, ("a",) * 4) == ("a",) * 4
    assert in_common((), page) == ()


def test_pages_made_to_be_alike_everywhere_take_no_longer() -> None:
    began = time.process_time()
    assert in_common(("a",) * 1000, ("a", "b") * 500) == ()
    assert time.process_time() - began < 0.5, "compared in order they take seconds"
