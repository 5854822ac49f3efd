"""What one look at a page says of a picture."""

import shutil
from pathlib import Path
from typing import Any

from guardian.app import App
from guardian.config import load_config
from guardian.crawl.page_reader import MOST_FRAMES
from guardian.scan.context import context_of_check
from guardian.scan.recheck.looks import PageVerdict, Place, look_at_page
from guardian.shipped import rules_folder
from tests.kept_workers import run_in_app


def test_frames_that_are_gone_or_too_many_do_not_speak_for_their_page(tmp_path: Path, site: Any) -> None:
    shutil.copytree(rules_folder(), tmp_path / "rules")
    (tmp_path / "config.yaml").write_text(
        "fetch: {contact: test@example.com, allow_networks: [127.0.0.0/8], delay_per_host: 0s}\n"
        "matching: {workers: 1}\n"
    )
    text = "<p>A page with words enough to be one, and with two frames of its own site below them.</p>"
    (site.folder / "page.html").write_text(f"{text}<iframe src=gone.html></iframe><iframe src=inner.html></iframe>")
    (site.folder / "inner.html").write_text(f"{text}<img src=cat.jpg>")
    place = Place(f"{site.url}/page.html", f"{site.url}/cat.jpg", frozenset())

    async def job(app: App) -> None:
        context = context_of_check(app.services)
        look = await look_at_page(app.services, context, place)
        assert (look.verdict, look.sighting and look.sighting.image_url) == (PageVerdict.SHOWS, f"{site.url}/cat.jpg")

        (site.folder / "inner.html").write_text(text)
        look = await look_at_page(app.services, context, place)
        assert (look.verdict, look.detail) == (PageVerdict.WITHOUT, "the page no longer shows it")

        frames = "".join(f"<iframe src=inner.html?{number}></iframe>" for number in range(MOST_FRAMES + 1))
        (site.folder / "page.html").write_text(f"{text}{frames}")
        look = await look_at_page(app.services, context, place)
        assert look.verdict is PageVerdict.HIDDEN, "nobody has looked into the last frame"

    run_in_app(load_config(tmp_path / "config.yaml"), job)
