"""Extraction from HTML, CSS and scripts: the pictures that a page shows, the words around them, its links."""
