"""The crawler: visits pages, sitemaps and feeds by the frontier, and keeps what is known of unchanged ones."""
