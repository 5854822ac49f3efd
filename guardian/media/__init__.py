"""Recognises the kind of medium that a response holds."""
