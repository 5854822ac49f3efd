"""Fixtures of crawls: see `tests.crawling`."""

from tests.crawling import checkpoints, discovered, page, settings_of, store

__all__ = ["checkpoints", "discovered", "page", "settings_of", "store"]
