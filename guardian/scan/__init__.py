"""The way of one image: acquire, match, judge, keep, record; and the passes over sources that start it."""
