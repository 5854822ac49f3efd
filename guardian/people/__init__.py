"""Who may do what: people and their passwords, sessions, tokens of programs, and the audit log of what they did."""
