"""The API under /api/v1: one file for each noun, all that the desk's pages do, for programs."""
