"""Ways to bring a message to somebody: one module for each kind of destination, listed by hand in `kinds`."""
