"""Writes what the published message schema says of measured facts, after their table in guardian/model changed.

Run it from the checkout: `.venv/bin/python tools/message_schema.py`. A test says when that is due.
"""

import json
from pathlib import Path

from guardian.views.messages import measured_schema

SCHEMA = Path(__file__).resolve().parent.parent / "guardian" / "cases" / "message.schema.json"


def main() -> None:
    """Rewrite the file in place; everything else in it is written by hand and stays."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    schema["properties"]["data"]["properties"]["measured"] = measured_schema()
    SCHEMA.write_text(json.dumps(schema, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
