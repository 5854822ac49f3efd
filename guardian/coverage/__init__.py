"""What was seen, what was not, and whether a source has gone quiet."""
