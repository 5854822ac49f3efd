"""The index of protected assets: one door to write it, one to open it for search, and the search itself (stage one)."""
