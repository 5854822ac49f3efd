"""Extraction from HTML, CSS and scripts: the pictures that a page shows, the text around them, its links."""
