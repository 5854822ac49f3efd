"""Protects all pictures of a folder, or of a picture library that has exported them there.

    export GUARDIAN_TOKEN=guardian_...              # guardian token add library --scope assets:write
    python examples/protect_folder.py ~/pictures --collection portfolio

Needs nothing beside Python. Safe to run again: what is protected already is known by its bytes.
"""

import argparse
import json
import mimetypes
import os
import secrets
import sys
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

URL = os.environ.get("GUARDIAN_URL", "http://127.0.0.1:8765") + "/api/v1"
ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".avif", ".tif", ".tiff", ".bmp"}


def form_of(picture: Path, collection: str) -> tuple[bytes, str]:
    """Return a form with a picture and its collection, and its media type."""
    boundary = secrets.token_hex(16)
    name = picture.name.replace('"', "_").replace("\r", "_").replace("\n", "_")
    kind = mimetypes.guess_type(picture.name)[0] or "application/octet-stream"
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="collection"\r\n\r\n{collection}\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="picture"; filename="{name}"\r\n'
        f"Content-Type: {kind}\r\n\r\n"
    )
    body = head.encode() + picture.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
    return body, f"multipart/form-data; boundary={boundary}"


def protect(picture: Path, collection: str) -> dict[str, Any]:
    """Send one picture; return what came of it."""
    body, kind = form_of(picture, collection)
    request = Request(f"{URL}/assets", data=body, method="POST")
    request.add_header("Content-Type", kind)
    request.add_header("Authorization", f"Bearer {os.environ['GUARDIAN_TOKEN']}")
    with urlopen(request) as response:
        found: dict[str, Any] = json.load(response)
    return found


def main() -> int:
    """Protect them one after another; return 1 when one could not be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--collection", required=True)
    options = parser.parse_args()

    failed = False
    for picture in sorted(path for path in options.folder.rglob("*") if path.suffix.lower() in ENDINGS):
        try:
            result = protect(picture, options.collection)
            said = result["error"] or f"{result['outcome']} {result['asset']['id']}"
            failed = failed or result["error"] is not None
        except HTTPError as error:
            said, failed = f"{error.code} {json.load(error)['detail']}", True
        print(f"{picture}: {said}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
