"""Signing in and out, and who a request comes from."""
