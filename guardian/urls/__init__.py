"""What addresses say: one spelling for each URL, its host, and which addresses are renditions of one picture."""
