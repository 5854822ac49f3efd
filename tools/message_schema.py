"""Writes the published schemas of messages anew, after what is in them changed in guardian/model or guardian/views.

message.schema.json (what calls for attention) is written by hand but for the measured facts; event.schema.json (what a
destination gets only when it asks) is written as a whole.

Run it from the checkout: `.venv/bin/python tools/message_schema.py`. A test says when that is due.
"""

import json
from pathlib import Path

from guardian.views.message_schemas import event_schema
from guardian.views.messages import measured_schema

CASES = Path(__file__).resolve().parent.parent / "guardian" / "cases"
SCHEMA = CASES / "message.schema.json"
EVENTS = CASES / "event.schema.json"


def main() -> None:
    """Rewrite both files in place."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    schema["properties"]["data"]["properties"]["measured"] = measured_schema()
    for file, written in ((SCHEMA, schema), (EVENTS, event_schema(schema["properties"]["data"]["properties"]))):
        file.write_text(json.dumps(written, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
