"""Makes what the demo prints: a table of what was found, a webhook as received, and what to try next."""

import json
import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Console, Group
from rich.panel import Panel
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from demo.receiver import Received
from demo.site import Exhibit
from guardian.model import Answer, JudgedMatch, Outcome
from guardian.views.comparisons import percent_text
from guardian.views.counting import counted

SHOWN_IN_BODY = ("case", "asset", "page_url", "image_url", "recovered", "measured", "rule", "licence", "evidence")
FOUND = (Outcome.COPY, Outcome.REVIEW, Outcome.LICENSED)


def owner_of(answer: Answer) -> JudgedMatch | None:
    """Return the most probable match that the rules kept."""
    kept = [match for match in answer.judged if match.kept]
    return max(kept, key=lambda match: match.comparison.probability, default=None)


def is_right(exhibit: Exhibit, answer: Answer) -> bool:
    """Return whether a copy was traced to the photograph it was made from."""
    match = owner_of(answer)
    return exhibit.shows is not None and match is not None and match.asset.path.endswith(f"/{exhibit.shows.file}")


def found_table(pairs: Sequence[tuple[Exhibit, Answer]]) -> Table:
    """Return one row for each kind of edit: how many of its copies were found, and one of them in words."""
    by_edit: dict[str, list[tuple[Exhibit, Answer]]] = defaultdict(list)
    for exhibit, answer in pairs:
        if exhibit.shows is not None:
            by_edit[exhibit.edit].append((exhibit, answer))

    table = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, title="Copies found on the site", title_justify="left", title_style="bold"
    )
    table.add_column("what was done", style="cyan", no_wrap=True)
    table.add_column("found", justify="right", no_wrap=True)
    table.add_column("what guardian says about one of them")
    table.add_column("how sure", justify="right", style="dim", no_wrap=True)

    for edit, several in sorted(by_edit.items()):
        hits = [pair for pair in several if is_right(*pair)]
        style = "green" if len(hits) == len(several) else "yellow"
        table.add_row(edit, Text(f"{len(hits)} of {len(several)}", style=style), *_in_words(hits))
    return table


def _in_words(hits: Sequence[tuple[Exhibit, Answer]]) -> tuple[Text, str]:
    best = max(hits, key=lambda pair: len(_description(pair[1])), default=None)
    if best is None:
        return Text("-", style="dim"), "-"
    match = owner_of(best[1])
    assert match is not None
    return Text.assemble((f"{best[0].title}: ", "bold"), _description(best[1])), percent_text(
        match.comparison.probability
    )


def _description(answer: Answer) -> str:
    match = owner_of(answer)
    return match.comparison.description if match else ""


def verdict(pairs: Sequence[tuple[Exhibit, Answer]]) -> Group:
    """Return the totals, and a line for each copy that was missed and each false alarm."""
    copies = [pair for pair in pairs if pair[0].shows is not None]
    unrelated = [pair for pair in pairs if pair[0].shows is None]
    right = sum(is_right(*pair) for pair in copies)
    alarms = false_alarms(pairs)
    licensed = sum(answer.outcome is Outcome.LICENSED for _, answer in pairs)
    lines = [
        Text.assemble(
            (
                f"{right} of {len(copies)} copies traced to their photograph",
                "green" if right == len(copies) else "yellow",
            ),
            ", ",
            (f"{len(alarms)} false alarms among {len(unrelated)} unrelated pictures", "green" if not alarms else "red"),
            f"; {counted(licensed, 'licensed use')} recognised, about which nobody is alerted." if licensed else ".",
        )
    ]

    for exhibit, answer in copies:
        if not is_right(exhibit, answer):
            why = answer.problem.reason if answer.problem else answer.outcome.value
            lines.append(
                Text(
                    f"  missed: {exhibit.title}, {exhibit.edit} ({exhibit.page}.html, {exhibit.file}): {why}",
                    style="yellow",
                )
            )
    for exhibit, answer in alarms:
        match = owner_of(answer)
        lines.append(
            Text(
                f"  FALSE ALARM: {exhibit.title}, {exhibit.edit}, taken for {match.asset.title if match else '?'}",
                style="red",
            )
        )
    return Group(*lines)


def cases(pairs: Sequence[tuple[Exhibit, Answer]], messages: int) -> Text:
    """Return a sentence that says why there are fewer messages than copies."""
    told = sum(answer.outcome in (Outcome.COPY, Outcome.REVIEW) for _, answer in pairs)
    return Text(
        f"All uses of one photograph by one site are one case, and a case is told once: {told} uses, "
        f"{messages} signed messages."
    )


def false_alarms(pairs: Sequence[tuple[Exhibit, Answer]]) -> list[tuple[Exhibit, Answer]]:
    """Return unrelated pictures that the rules would alert about, and copies traced to another photograph."""
    return [
        (exhibit, answer)
        for exhibit, answer in pairs
        if answer.outcome in FOUND and owner_of(answer) is not None and not is_right(exhibit, answer)
    ]


def webhook_panel(received: Sequence[Received], tampered: str | None) -> Panel:
    """Return the first alert as its receiver saw it, some fields left out, and the results of verification.

    `tampered` is why the receiver refused a changed message; None when it accepted it.
    """
    one = received[0]
    head = Text()
    for name in ("content-type", "user-agent", "webhook-id", "webhook-timestamp", "webhook-signature"):
        if name in one.headers:
            head.append(f"{name}: ", style="cyan").append(f"{one.headers[name]}\n")
    data = {name: one.event["data"][name] for name in SHOWN_IN_BODY if name in one.event.get("data", {})}
    body = _readable({"type": one.event.get("type"), "timestamp": one.event.get("timestamp"), "data": data})

    genuine = sum(each.refused is None for each in received)
    said = Text.assemble(
        (
            f"✓ {genuine} of {len(received)} messages verified by their receiver",
            "green" if genuine == len(received) else "red",
        ),
        " (Standard Webhooks, HMAC-SHA-256). ",
        f"The same message with one letter changed: {tampered}." if tampered else "A CHANGED MESSAGE WAS ACCEPTED.",
    )
    title = (
        f"One of {len(received)} signed webhooks as its receiver saw it ({len(one.body)} bytes, some fields left out)"
    )
    return Panel(
        Group(head, Syntax(body, "json", background_color="default", word_wrap=True), Text(), said),
        title=title,
        title_align="left",
    )


def _readable(event: dict[str, Any]) -> str:
    """Return a message as JSON, each list on one line, without empty fields of the asset."""
    asset = event["data"].get("asset", {})
    event["data"]["asset"] = {name: value for name, value in asset.items() if value and name != "rights"}
    text = json.dumps(event, indent=1, ensure_ascii=False)
    return re.sub(r"\[[^\[\]{}]*\]", lambda found: f"[{' '.join(found.group()[1:-1].split())}]", text)


def next_steps(console: Console, home: str) -> None:
    """Print commands to try next, with the demo's folder and with pictures of one's own."""
    console.print("[bold]Work through the cases in the browser[/]")
    console.print("  make desk    [dim](prints one address that signs you in)[/]", highlight=False)
    console.print("[bold]Look around in what the demo left behind[/]")
    for command in ("case list", "rules check", "coverage", "check YOUR_PICTURE.jpg"):
        console.print(f"  .venv/bin/guardian --config {home}/config.yaml {command}", highlight=False, soft_wrap=True)
    console.print("[bold]Then with your own pictures[/]")
    for command in (
        "init ~/guardian && cd ~/guardian",
        "asset add ~/Pictures/portfolio --collection portfolio",
        "check https://example.com/page-that-may-show-them",
    ):
        console.print(f"  guardian {command}", highlight=False, soft_wrap=True)
    console.print(
        "  [dim](. .venv/bin/activate first.) To be told by webhook: name a source, a contact and a destination in "
        "~/guardian/config.yaml, then `guardian run`. README.md goes through it step by step.[/]",
        highlight=False,
    )
