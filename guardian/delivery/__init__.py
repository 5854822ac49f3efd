"""Sends the messages that are due, and tries again those that were not accepted. Knows nothing of cases."""
