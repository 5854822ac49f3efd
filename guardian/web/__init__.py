"""What guardian shows over HTTP on loopback: health, readiness and metrics."""
