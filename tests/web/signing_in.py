"""Signs in to the desk in a real browser."""

from typing import TYPE_CHECKING

from tests.web.conftest import PASSWORD

if TYPE_CHECKING:
    from playwright.sync_api import Page


def sign_in(page: "Page", name: str, to: str = "/cases") -> None:
    """Open a page of the desk and sign in on the way to it."""
    page.goto(to)
    sign_in_here(page, name)


def sign_in_here(page: "Page", name: str) -> None:
    """Sign in where the sign-in page stands already."""
    page.get_by_label("Name").wait_for()
    # The script of the sign-in page notes what was not taken.
    page.wait_for_load_state()
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Sign out").wait_for()
    # Scripts that take keys have run then.
    page.wait_for_load_state()
