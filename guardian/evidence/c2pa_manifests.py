"""Reads C2PA manifests of image files, with the extra `c2pa`. Runs inside worker processes, and asks no network.

Whether a signer can be trusted is not judged: no list of trusted certificates is used.
"""

import importlib.util
import io
import json
from collections.abc import Iterator
from typing import Any

from guardian.evidence.file_metadata import Carrier, FileMetadata, Meaning, MetadataField
from guardian.evidence.json_values import as_list, as_object
from guardian.media.sniff import picture_type
from guardian.views.plain_text import cleaned

NOT_INSTALLED = "C2PA manifests are not read: the extra is not installed (pip install 'guardian[c2pa]')"
_LONGEST = 1_000
_MOST = 50

_OFFLINE = {"verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_trust": False}}
_REMOTE = "must fetch remote manifests from url"


def can_read_manifests() -> bool:
    """Return whether the library of the extra `c2pa` is installed."""
    return importlib.util.find_spec("c2pa") is not None


def read_manifests(content: bytes, *, installed: bool) -> FileMetadata:
    """Return what the C2PA manifests of an encoded picture say; nothing for a picture without one.

    `installed`: see can_read_manifests; without the library the answer says so where a manifest seems to be there.
    """
    if not installed:
        seems_there = b"jumb" in content and b"c2pa" in content
        return FileMetadata(unread=(f"a C2PA manifest seems to be there. {NOT_INSTALLED}",) if seems_there else ())

    import c2pa

    kind = picture_type(content).media_type
    try:
        context = c2pa.Context(c2pa.Settings.from_dict(_OFFLINE))
        with c2pa.Reader(kind, io.BytesIO(content), context=context) as reader:
            told = json.loads(reader.json())
    except c2pa.C2paError.ManifestNotFound:
        return FileMetadata()
    except c2pa.C2paError as error:
        words = str(error)
        if _REMOTE in words:
            # Its address is all that the file holds of it.
            address = cleaned(words.partition(_REMOTE)[2])[:_LONGEST]
            named = MetadataField(Carrier.C2PA, "remote manifest", Meaning.PROVENANCE, address)
            return FileMetadata((named,), ("the C2PA manifest lies at another address, which is not asked",))
        if "NotSupported" in words or "not supported" in words:
            return FileMetadata()
        return FileMetadata(unread=(f"a C2PA manifest is there and cannot be read: {cleaned(words)[:200]}",))
    except (ValueError, RecursionError) as error:
        return FileMetadata(unread=(f"a C2PA manifest cannot be read ({type(error).__name__})",))
    return FileMetadata(tuple(_fields(told)) if isinstance(told, dict) else ())


def _fields(told: dict[str, Any]) -> Iterator[MetadataField]:
    """Yield what the active manifest says, and what the check of it found."""
    label = told.get("active_manifest")
    manifest = as_object(as_object(told.get("manifests")).get(str(label)))
    signature = as_object(manifest.get("signature_info"))
    assertions = [as_object(one) for one in as_list(manifest.get("assertions"))]
    said = (
        ("active manifest", Meaning.DOCUMENT_ID, label),
        ("title", Meaning.TITLE, manifest.get("title")),
        ("author", Meaning.CREATOR, "; ".join(_authors(assertions))),
        ("signed by", Meaning.PROVENANCE, signature.get("issuer")),
        ("signed at", Meaning.PROVENANCE, signature.get("time")),
        ("made with", Meaning.HISTORY, "; ".join(_generators(manifest))),
        ("actions", Meaning.HISTORY, "; ".join(_actions(assertions))),
        ("made of", Meaning.HISTORY, "; ".join(_texts(manifest.get("ingredients"), "title"))),
        ("training and data mining", Meaning.TERMS, "; ".join(_training(assertions))),
        ("validation", Meaning.CHECK, _validation(told)),
    )
    for name, meaning, value in said:
        text = cleaned(str(value or "")[: 4 * _LONGEST])[:_LONGEST]
        if text:
            yield MetadataField(Carrier.C2PA, name, meaning, text)


def _validation(told: dict[str, Any]) -> str:
    """Return the state of the check with the codes of what failed; who signed is not judged."""
    state = str(told.get("validation_state") or "unknown")
    codes = _texts(told.get("validation_status"), "code")
    failed = f": {', '.join(codes)}" if codes else ""
    return f"{state}{failed} (trust in the signer is not judged)"


def _authors(assertions: list[dict[str, Any]]) -> list[str]:
    works = (one.get("data") for one in assertions if one.get("label") == "stds.schema-org.CreativeWork")
    return [name for work in works for name in _texts(as_object(work).get("author"), "name")]


def _generators(manifest: dict[str, Any]) -> list[str]:
    names = _texts(manifest.get("claim_generator_info"), "name")
    return names or [str(manifest.get("claim_generator") or "")]


def _actions(assertions: list[dict[str, Any]]) -> list[str]:
    lists = (one.get("data") for one in assertions if str(one.get("label")).startswith("c2pa.actions"))
    return [name for actions in lists for name in _texts(as_object(actions).get("actions"), "action")]


def _training(assertions: list[dict[str, Any]]) -> list[str]:
    found = []
    for one in assertions:
        if str(one.get("label")).endswith("training-mining"):
            entries = as_object(as_object(one.get("data")).get("entries"))
            found += [f"{name}: {as_object(entry).get('use')}" for name, entry in list(entries.items())[:_MOST]]
    return found


def _texts(values: Any, key: str) -> list[str]:
    """Return the texts under a key of a list of objects, or of one object."""
    listed = [values] if isinstance(values, dict) else as_list(values)
    return [str(one[key]) for one in listed[:_MOST] if isinstance(one, dict) and one.get(key)]
