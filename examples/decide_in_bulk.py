"""Dismisses or confirms all cases of an operator that wait: says which they are, and decides when asked with --yes.

    export GUARDIAN_TOKEN=guardian_...              # guardian token add bulk --scope cases:read,cases:write
    python examples/decide_in_bulk.py partner.example dismiss --reason permitted --note "our reseller" --yes

Needs nothing beside Python. What somebody else decides between looking and deciding is not decided over.
"""

import argparse
import json
import os
import sys
import uuid
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

URL = os.environ.get("GUARDIAN_URL", "http://127.0.0.1:8765") + "/api/v1"


def post(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Send a decision about several cases; return the cases as they are then."""
    request = Request(f"{URL}/decisions", data=json.dumps(body).encode(), method="POST")
    request.add_header("Content-Type", "application/json")
    request.add_header("Authorization", f"Bearer {os.environ['GUARDIAN_TOKEN']}")
    # Sent again after a broken connection, it would not be done twice.
    request.add_header("Idempotency-Key", str(uuid.uuid4()))
    with urlopen(request) as response:
        items: list[dict[str, Any]] = json.load(response)["items"]
    return items


def main() -> int:
    """Show what is meant, and decide."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("operator")
    parser.add_argument("decision", choices=["confirm", "dismiss", "close"])
    parser.add_argument("--reason", choices=["permitted", "not_worth_pursuing", "look_alike"])
    parser.add_argument("--note")
    parser.add_argument("--yes", action="store_true")
    options = parser.parse_args()

    decision = {"decision": options.decision, "note": options.note}
    if options.reason is not None:
        decision["reason"] = options.reason
    try:
        meant = post({"operator": options.operator, "decision": decision, "dry_run": True})
        if options.yes:
            seen = [{"id": case["id"], "version": case["version"]} for case in meant]
            meant = post({"cases": seen, "decision": decision})
    except HTTPError as error:
        print(f"{error.code} {json.load(error)['detail']}", file=sys.stderr)
        return 1
    for case in meant:
        print(f"{case['id']}  {case['operator']}  {case['state']}")
    if not options.yes:
        print(f"{len(meant)} cases; --yes decides about them")
    return 0


if __name__ == "__main__":
    sys.exit(main())
