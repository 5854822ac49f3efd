"""Runs the measurements and prints tables.

python -m bench [--folder F] [--images N] [--requests N] [--pages N] [--assets N ...]
                [--only quality|scale|memory|fetching|scanning|search|desk|proof]
"""

import argparse
import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from bench import (
    desk,
    fetching,
    looks,
    measures,
    memory,
    methods,
    ours,
    proof,
    remembered,
    scale,
    scanning,
    search,
    sets,
    words,
)
from bench.methods import Outcome
from demo.photographs import PROTECTED, copy_protected
from guardian.cli.context import log_to_stderr
from guardian.evaluation.attacks import Picture
from guardian.store import StoreSettings, open_store

MANY_DISTRACTORS = 500


def main() -> None:
    """Measure what was asked for."""
    options = read_options()
    # What is measured logs as it works, which is not for the reader of tables.
    log_to_stderr("warning", "text")
    console = Console(width=None if sys.stdout.isatty() else 110)
    if options.only in (None, "quality"):
        for pictures in sets_in(console, options.folder):
            quality(console, pictures, options.descriptor, options.descriptor_size)
    if options.only in (None, "scale"):
        many_assets(console, options.assets)
    if options.only in (None, "memory"):
        flat(console, options.images)
    if options.only in (None, "fetching"):
        requests_cost(console, options.requests)
    if options.only in (None, "scanning"):
        whole_site(console, options.pages)
    if options.only == "search":
        searching(console, options)
    if options.only == "desk":
        many_cases(console, options.cases)
    if options.only in (None, "proof"):
        to_a_bundle(console)


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument(
        "--folder", type=Path, help="a set with refs/, queries/, manifest.csv, or a folder of such sets"
    )
    parser.add_argument("--descriptor", type=Path, help="an ONNX or TorchScript file of a neural descriptor")
    parser.add_argument("--descriptor-size", type=int, default=288, help="the side in pixels of what it takes")
    parser.add_argument("--of-a-class", type=int, default=16, help="pictures of a class, at most, for the search run")
    parser.add_argument("--made", type=int, default=1_000_000, help="how many pictures for the search run; 0: none")
    parser.add_argument("--worded", type=int, default=200_000, help="how many with words for the search run; 0: none")
    parser.add_argument(
        "--remembered", type=int, default=remembered.PICTURES, help="how many in the memory for the search run; 0: none"
    )
    parser.add_argument("--images", type=int, default=50_000, help="how many pictures for the memory run")
    runs = ("quality", "scale", "memory", "fetching", "scanning", "search", "desk", "proof")
    parser.add_argument("--only", choices=runs)
    parser.add_argument("--assets", type=int, nargs="+", default=scale.SIZES, help="how many assets for the scale run")
    parser.add_argument("--cases", type=int, default=desk.CASES, help="how many cases for the desk run")
    parser.add_argument("--requests", type=int, default=3_000, help="how many requests for the fetching run")
    parser.add_argument("--pages", type=int, default=200, help="how many pages, of ten pictures, for the scanning run")
    return parser.parse_args()


def searching(console: Console, options: argparse.Namespace) -> None:
    """Print how good the search is on labelled folders beside other methods, and what it costs among a million."""
    found = search.labelled_sets(options.folder, options.of_a_class) if options.folder else []
    if not found:
        packages = " ".join(search.PACKAGES)
        console.print(
            "quality and looks are left out: --folder names no unpacked packages of Debian "
            f"(apt-get download {packages}; dpkg -x)"
        )

    for labelled in found:
        labelled_set(console, labelled, options.descriptor, options.descriptor_size)

    if options.made:
        pictures = [picture for labelled in found for picture in labelled.pictures] or looks.cut_from_photographs()
        made_pictures(console, pictures, options.made)
    if options.remembered:
        copies_in_memory(console, options.remembered)
    if options.worded:
        with tempfile.TemporaryDirectory() as folder:
            for line in words.report(Path(folder), options.worded):
                console.print(line)


def labelled_set(console: Console, labelled: search.Labelled, descriptor: Path | None, image_size: int) -> None:
    """Print how good the search is on one labelled folder, beside other methods."""
    judged = f"{len(labelled.pictures)} pictures of {labelled.classes.max() + 1} classes"
    table = Table("method", "nDCG@10", "mAP", title=f"{labelled.name}: {judged}", title_justify="left")
    for one in search.judge(labelled, descriptor, image_size):
        table.add_row(one.method, f"{one.ndcg:.3f}", f"{one.mean_average_precision:.3f}")
    console.print(table)

    table = Table("edit", "recall@1", "recall@10", title=f"{labelled.name}: by look", title_justify="left")
    for edit, (first, ten) in search.recalls(labelled, 200).items():
        table.add_row(edit, f"{first:.3f}", f"{ten:.3f}")
    console.print(table)

    labels = search.labels_by_neighbours(labelled)
    console.print(
        f"{labelled.name}: of {labels.asked} pictures without a label {labels.labelled} got one by neighbours, "
        f"{labels.right} of them rightly"
    )


def made_pictures(console: Console, pictures: Sequence[Picture], count: int) -> None:
    """Print what searches among so many pictures cost that are made of these."""
    with tempfile.TemporaryDirectory(prefix="guardian-bench-") as folder:
        made = looks.measure(pictures, count, Path(folder))
    asked = ", ".join(f"{by.value} {spent:.1f}" for by, spent in made.asked_ms.items())
    console.print(
        f"{made.pictures:,} made pictures: top {looks.TOP} by {asked} ms CPU, of which describing the picture "
        f"takes {made.describing_ms:.1f}; recall@10 {made.recall:.3f} of exact; {made.megabytes:.0f} MB of vectors"
    )


def copies_in_memory(console: Console, pictures: int) -> None:
    """Print what copies cost among so many remembered pictures. A million take 8 GB of disk, minutes of CPU."""
    with tempfile.TemporaryDirectory(prefix="guardian-bench-") as name:
        one = remembered.measure(Path(name), pictures, lambda: None)
    console.print(
        f"{one.pictures:,} remembered pictures, {one.kilobytes_a_picture:.1f} kB each: top 20 by copy "
        f"{one.stranger_ms:.0f} ms CPU for a stranger, {one.copy_ms:.0f} for a copy, of which describing it takes "
        f"{one.features_ms:.0f}; {one.found:.0%} of edited copies found; to see that a new one is joined to none "
        f"{one.joining_ms:.2f}; {one.resident_mib:.0f} MiB resident"
    )


def many_cases(console: Console, cases: int) -> None:
    """Print how long the desk's pages take on the server with many cases, and whether its memory is flat."""
    with tempfile.TemporaryDirectory(prefix="guardian-bench-") as name, bar(console) as progress:
        step = progress.add_task("filling, then asking", total=len(desk.PAGES))
        store = open_store(StoreSettings(), Path(name))
        desk.fill(store, Path(name), cases)
        store.close()
        measured = desk.measure(Path(name), lambda: progress.advance(step))
    title = f"{cases} cases with {cases * desk.SIGHTINGS_A_CASE} sightings, over HTTP; ms"
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left")
    table.add_column("page")
    for heading in ("CPU", "median", "worst", "kB"):
        table.add_column(heading, justify="right")
    for one in measured.times:
        numbers = (one.cpu_ms, one.median_ms, one.worst_ms, one.kilobytes)
        table.add_row(one.name, *(f"{number:.0f}" for number in numbers))
    console.print(table)
    console.print(
        f"memory: {measured.before_mib:.0f} MiB before and {measured.after_mib:.0f} MiB after "
        f"{measured.requests} more requests",
        highlight=False,
    )


def to_a_bundle(console: Console) -> None:
    """Print how long it takes from an alert to a bundle that was verified, without a browser and with one."""
    table = Table(box=box.SIMPLE_HEAD, title="alert to verified bundle, in seconds", title_justify="left")
    for heading in ("browser", "step", "wall", "CPU"):
        table.add_column(heading, justify="right")
    ways = [False, True] if proof.has_browser() else [False]
    with tempfile.TemporaryDirectory(prefix="guardian-bench-") as name, bar(console) as progress:
        step = progress.add_task("capturing, exporting, verifying", total=3 * len(ways))
        proof.prepare(Path(name))
        for with_browser in ways:
            steps = proof.measure(Path(name), with_browser=with_browser, advance=lambda: progress.advance(step))
            browser = "with" if with_browser else "without"
            for one in steps:
                table.add_row(browser, one.name, f"{one.wall_s:.1f}", f"{one.cpu_s:.1f}")
            wall, cpu = sum(one.wall_s for one in steps), sum(one.cpu_s for one in steps)
            asked = f"all (asked: {proof.ASKED[with_browser]})"
            table.add_row(browser, asked, f"{wall:.1f}", f"{cpu:.1f}", style="bold")
    console.print(table)
    if len(ways) == 1:
        console.print("no browser was found: not measured with one")


def many_assets(console: Console, sizes: Sequence[int]) -> None:
    """Print what indexes of several sizes cost, in both profiles, and what large candidates do."""
    table = Table(
        box=box.SIMPLE_HEAD,
        title=f"{len(PROTECTED)} photographs among synthetic assets; CPU ms (mean, median), one process",
        title_justify="left",
    )
    headings = ("profile", "assets", "build", "kB an asset", "a distractor", "a copy", "copies found", "added")
    for heading in (*headings, "searchable ms", "MiB", "anonymous"):
        table.add_column(heading, justify="right")
    with bar(console) as progress:
        step = progress.add_task("growing indexes", total=2 * len(sizes))
        for profile in ("full", "fast"):
            for grown in scale.measure(profile, sizes, lambda: progress.advance(step)):
                table.add_row(
                    profile,
                    f"{grown.assets}",
                    f"{grown.build_ms_an_asset:.1f}",
                    f"{grown.kilobytes_an_asset:.1f}",
                    *(f"{spent.mean_ms:.0f}, {spent.median_ms:.0f}" for spent in (grown.distractor, grown.copy)),
                    f"{grown.found:.1%}",
                    f"{grown.adding_ms:.0f}",
                    f"{grown.searchable_ms:.0f}",
                    f"{grown.resident_mib:.0f}",
                    f"{grown.anonymous_mib:.0f}",
                )
    console.print(table)
    table = Table(box=box.SIMPLE_HEAD, title="a distractor among 600 assets, CPU ms", title_justify="left")
    table.add_column("profile", justify="right")
    for size in scale.MEGAPIXELS:
        table.add_column(f"{size:g} megapixels", justify="right")
    for profile in ("full", "fast"):
        table.add_row(profile, *(f"{cost.cpu_ms:.0f}" for cost in scale.measure_sizes(profile)))
    console.print(table)


def whole_site(console: Console, pages: int) -> None:
    """Scan a site end to end, and print how fast, who worked and how memory went."""
    with tempfile.TemporaryDirectory(prefix="guardian-bench-") as name, bar(console) as progress:
        step = progress.add_task("scanning", total=pages * scanning.PICTURES_A_PAGE)
        account = scanning.measure(Path(name), pages, lambda number: progress.update(step, completed=number))
    table = Table(
        box=box.SIMPLE_HEAD, title=f"a site of {pages} pages, {account.pictures} pictures", title_justify="left"
    )
    for heading in ("pictures asked for", "crawler MiB", "workers MiB"):
        table.add_column(heading, justify="right")
    for moment in account.moments:
        table.add_row(f"{moment.pictures}", f"{moment.crawler_mib:.0f}", f"{moment.workers_mib:.0f}")
    console.print(table)
    spent = account.crawler_cpu + account.workers_cpu
    console.print(
        f"{account.said}\n{account.seconds:.0f} s: {pages / account.seconds:.1f} pages and "
        f"{account.pictures / account.seconds:.1f} pictures a second. CPU: crawler {account.crawler_cpu:.0f} s "
        f"({account.crawler_cpu / account.pictures * 1000:.1f} ms a picture, {account.crawler_cpu / spent:.0%}), "
        f"workers {account.workers_cpu:.0f} s.\n",
        highlight=False,
    )


def requests_cost(console: Console, requests: int) -> None:
    """What one request costs guardian and plain clients, in the same run."""
    table = Table("client", "CPU ms a request", title=f"{requests} requests, {fetching.IN_FLIGHT} in flight")
    for cost in fetching.measure(requests):
        table.add_row(cost.client, f"{cost.cpu_ms:.2f}")
    console.print(table)


def bar(console: Console) -> Progress:
    """The progress bar of all longer steps."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True)


def sets_in(console: Console, folder: Path | None) -> list[sets.BenchSet]:
    """The set of a folder, all sets under it, or one made of the demo's photographs."""
    if folder is None:
        made = Path(tempfile.mkdtemp(prefix="guardian-bench-set-"))
        with bar(console) as progress:
            for _ in progress.track(sets.made(made), description="making edited copies of the demo's photographs"):
                pass
        return [sets.read(made)]
    if (folder / "manifest.csv").is_file():
        return [sets.read(folder)]
    found = [sets.read(each.parent) for each in sorted(folder.glob("*/manifest.csv"))]
    if not found:
        raise SystemExit(f"{folder} holds no manifest.csv and no folder that does")
    return found


def quality(console: Console, pictures: sets.BenchSet, descriptor: Path | None, image_size: int) -> None:
    """Measure every method on one set and print them side by side."""
    beside = methods.others(descriptor, image_size)
    with bar(console) as progress:
        step = progress.add_task("guardian", total=len(pictures.queries))
        mine = ours.measure(pictures, lambda: progress.advance(step))
        outcomes = [mine.outcome]
        if descriptor is not None:
            step = progress.add_task("guardian with the descriptor", total=len(pictures.queries))
            settings = methods.descriptor_settings(descriptor, image_size)
            outcomes.append(ours.measure(pictures, lambda: progress.advance(step), settings).outcome)
        for method in beside:
            step = progress.add_task(method.name, total=len(pictures.queries))
            outcomes.append(methods.measure(method, pictures, lambda step=step: progress.advance(step)))  # type: ignore[misc]
    copies = sum(query.ref is not None for query in pictures.queries)
    distractors = len(pictures.queries) - copies
    title = f"{pictures.name}: {len(pictures.refs)} references, {copies} copies, {distractors} distractors"
    console.print(quality_table(title, pictures.queries, outcomes))
    if copies:
        console.print(family_table(pictures.queries, outcomes, mine.alerted))
        console.print(attack_table(pictures.queries, outcomes))
    right = sum(
        query.ref is not None and query.ref == ref for query, ref in zip(pictures.queries, mine.alerted, strict=True)
    )
    wrong = sum(ref is not None and ref != query.ref for query, ref in zip(pictures.queries, mine.alerted, strict=True))
    console.print(
        f"With the shipped rules guardian alerts about {right} of {copies} copies, and wrongly {wrong} times "
        f"({distractors} distractors). Protecting a reference took {mine.protect_ms:.0f} ms of CPU.\n",
        highlight=False,
    )


def quality_table(title: str, queries: Sequence[sets.Query], outcomes: Sequence[Outcome]) -> Table:
    """One row for each method. The start of the process is part of guardian's cost."""
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left")
    table.add_column("method")
    for name in ("µAP", "recall, no false alarm", "recall, 1 in 1000", "CPU ms a picture"):
        table.add_column(name, justify="right")
    distractors = sum(query.ref is None for query in queries)
    for outcome in outcomes:
        few = max(1, distractors // 1000) if distractors >= MANY_DISTRACTORS else None
        table.add_row(
            outcome.method,
            f"{measures.micro_average_precision(queries, outcome.guesses):.3f}",
            f"{measures.recall(queries, outcome.guesses, 0):.3f}",
            "-" if few is None else f"{measures.recall(queries, outcome.guesses, few):.3f}",
            f"{outcome.cpu_ms:.1f}",
        )
    return table


def family_table(queries: Sequence[sets.Query], outcomes: Sequence[Outcome], alerted: Sequence[str | None]) -> Table:
    """Recall of each family of edits at one threshold, and what guardian's rules alert about."""
    distractors = sum(query.ref is None for query in queries)
    few = max(1, distractors // 1000) if distractors >= MANY_DISTRACTORS else 0
    title = "recall by family, no false alarm" if not few else f"recall by family, {few} of {distractors} distractors"
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left")
    table.add_column("family")
    by_method = [measures.recall_by_family(queries, outcome.guesses, few) for outcome in outcomes]
    for outcome in outcomes:
        table.add_column(outcome.method, justify="right")
    table.add_column("guardian alerts", justify="right")
    told = measures.alerted_by_family(queries, alerted)
    for family in sorted(told):
        table.add_row(family, *(f"{shares[family]:.3f}" for shares in by_method), f"{told[family]:.3f}")
    return table


def attack_table(queries: Sequence[sets.Query], outcomes: Sequence[Outcome]) -> Table:
    """Recall without a false alarm, for each edit."""
    table = Table(box=box.SIMPLE_HEAD, title="recall by edit, no false alarm", title_justify="left")
    table.add_column("edit")
    by_method = [measures.recall_by_attack(queries, outcome.guesses, 0) for outcome in outcomes]
    for outcome in outcomes:
        table.add_column(outcome.method, justify="right")
    for attack in sorted(by_method[0]):
        table.add_row(attack, *(f"{shares[attack]:.2f}" for shares in by_method))
    return table


def flat(console: Console, count: int) -> None:
    """Measure memory over many pictures against a real index, and print how it went."""
    with tempfile.TemporaryDirectory(prefix="guardian-bench-") as name, bar(console) as progress:
        home = Path(name)
        copy_protected(PROTECTED, home / "photographs")
        for words in (
            ["init", "watch"],
            ["asset", "add", "photographs", "--collection", "bench", "--config", "watch/config.yaml"],
        ):
            subprocess.run([sys.executable, "-m", "guardian", *words], cwd=home, check=True, stdout=subprocess.DEVNULL)
        step = progress.add_task("memory", total=count)
        samples = asyncio.run(memory.measure(home / "watch" / "data" / "index", count, lambda: progress.advance(step)))
    table = Table(
        box=box.SIMPLE_HEAD, title=f"memory over {count} small pictures, daemon's workers", title_justify="left"
    )
    table.add_column("pictures", justify="right")
    table.add_column("resident MiB", justify="right")
    for sample in samples:
        table.add_row(f"{sample.images}", f"{sample.resident_mib:.0f}")
    console.print(table)
    # The first fifth fills caches; after it nothing may grow.
    settled = samples[len(samples) // 5 :]
    if settled:
        grown = settled[-1].resident_mib - settled[0].resident_mib
        console.print(f"grown by {grown:+.0f} MiB since picture {settled[0].images}", highlight=False)


if __name__ == "__main__":
    main()
