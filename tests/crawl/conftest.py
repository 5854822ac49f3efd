"""Fixtures of crawls: see `tests.crawling`."""

from tests.crawling import discovered, page, settings_of, store

__all__ = ["discovered", "page", "settings_of", "store"]
