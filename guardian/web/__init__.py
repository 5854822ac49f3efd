"""The web server: the desk's pages and its API, signing in, and health, readiness and metrics for machines."""
