"""Writes all open cases as CSV, for a spreadsheet.

    export GUARDIAN_TOKEN=guardian_...              # guardian token add sheet --scope cases:read
    python examples/open_cases.py > cases.csv

Needs nothing beside Python. Texts come from strangers' pages: what a spreadsheet would take for a formula is defused.
"""

import csv
import json
import os
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

URL = os.environ.get("GUARDIAN_URL", "http://127.0.0.1:8765") + "/api/v1"
COLUMNS = ("id", "priority", "severity", "operator", "title", "sightings", "opened_at", "assignee", "due_on", "labels")


def open_cases() -> Iterator[dict[str, Any]]:
    """Yield every case that is open, in the order in which the API lists them."""
    query = {"state": "open", "limit": "200"}
    while True:
        request = Request(f"{URL}/cases?{urlencode(query)}")
        request.add_header("Authorization", f"Bearer {os.environ['GUARDIAN_TOKEN']}")
        with urlopen(request) as response:
            page = json.load(response)
        yield from page["items"]
        if page["next_cursor"] is None:
            return
        query["cursor"] = page["next_cursor"]


def defused(value: object) -> object:
    """Return a value that no spreadsheet takes for a formula: an apostrophe stands before what could be one."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def row_of(case: dict[str, Any]) -> list[object]:
    """Return the cells of one case."""
    title = case["asset"]["title"] if case["asset"] else case["asset_id"]
    cells = case | {"title": title, "labels": ", ".join(case["labels"])}
    return [defused(cells[name]) for name in COLUMNS]


def main() -> None:
    """Write the table."""
    table = csv.writer(sys.stdout)
    table.writerow(COLUMNS)
    for case in open_cases():
        table.writerow(row_of(case))


if __name__ == "__main__":
    main()
