"""What the command line, the messages and the web pages show: one file for each noun, apart from how it is stored.

Pure functions from domain types to JSON objects and to sentences. Nothing here reads, writes or decides.
"""
