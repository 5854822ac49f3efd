"""Coverage of the sources: what their scans saw, what they did not, and messages about sources in trouble."""
