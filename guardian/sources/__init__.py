"""Where pictures are looked for: one file for each kind of source, and their settings."""
