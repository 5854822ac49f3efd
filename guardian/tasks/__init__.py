"""Works off the durable task queue: one runner for all kinds of tasks, and the interface of their consumers."""
