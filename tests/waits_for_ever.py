"""A program that a test starts as a child and that never ends by itself."""

import signal

if __name__ == "__main__":
    signal.pause()
