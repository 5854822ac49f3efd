"""Scans sources and checks images: acquire, match, judge, keep and record each image."""
