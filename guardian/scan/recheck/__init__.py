"""Looks again at places where a picture was seen: after a notice, before one is sent, and when an asset is new."""
