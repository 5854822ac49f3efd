"""Does what is owed: one runner for every kind of task, and what a consumer of a kind must be able to do."""
