"""Remembers every picture that scans compare, strangers too: where and when it was seen, and what finds it again."""
