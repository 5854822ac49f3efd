"""What the command line, the messages and the web pages show: one shape for each thing, apart from how it is stored."""
