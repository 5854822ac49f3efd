"""What the owner protects: adding and taking out assets, their originals and their rights, and the index's upkeep."""
