"""Reads all metadata of an image file that evidence compares. Runs inside worker processes."""

from guardian.evidence.c2pa_manifests import can_read_manifests, read_manifests
from guardian.evidence.file_metadata import FileMetadata, read_file_metadata


def read_all_metadata(content: bytes) -> FileMetadata:
    """Return what an encoded picture says of rights, identity and origin, its C2PA manifests last."""
    file, manifests = read_file_metadata(content), read_manifests(content, installed=can_read_manifests())
    return FileMetadata((*file.fields, *manifests.fields), (*file.unread, *manifests.unread))
