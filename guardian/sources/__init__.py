"""The kinds of sources: one file each, listed in kinds.py."""
