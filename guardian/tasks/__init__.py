"""Runs queued tasks: one runner for every kind, and the interface of the consumers that do them."""
