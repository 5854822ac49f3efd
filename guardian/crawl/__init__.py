"""The crawler: visits the pages, sitemaps and feeds of the frontier, and caches what unchanged pages hold."""
