"""How well guardian protects pictures: edits, look-alikes, measuring and fitting. Nothing here runs in the daemon."""
