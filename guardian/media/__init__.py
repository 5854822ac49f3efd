"""What kind of medium an answer holds, told by its first bytes."""
