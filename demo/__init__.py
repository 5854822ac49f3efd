"""`make demo`: guardian's main job, on real photographs and real sockets, in half a minute.

Not part of the package: it uses guardian as anybody would, by its commands and public functions.
"""
