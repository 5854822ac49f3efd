"""Notices in words."""

from guardian.views.notices import form_blocks


def test_each_field_of_a_form_is_a_block_of_its_own() -> None:
    text = "What this is.\n\n[Name]\nAda\n\n[Addresses (one a line)]\nhttps://a.example\nhttps://b.example\n\n[Empty]\n"
    assert form_blocks(text) == [
        ("", "What this is."),
        ("Name", "Ada"),
        ("Addresses (one a line)", "https://a.example\nhttps://b.example"),
        ("Empty", ""),
    ]
    assert form_blocks("a template of one's own\n") == [("", "a template of one's own")]
