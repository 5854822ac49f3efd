"""guardian finds copies of the images you own, keeps the evidence and tells your legal team."""

__version__ = "0.1.0"
