"""Recognises the kind of medium that bytes hold, and decodes pictures of any layout to upright pixels."""
