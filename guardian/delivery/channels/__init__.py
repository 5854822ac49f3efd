"""Channels of delivery: one module for each kind of destination, listed by hand in `kinds`."""
