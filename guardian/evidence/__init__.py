"""Keeps the exact bytes behind findings: content-addressed, durable, within a cap."""
