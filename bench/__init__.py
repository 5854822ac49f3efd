"""`make bench`: how well guardian finds copies, what that costs, and whether its memory stays flat.

Uses guardian by its command line and public doors only, beside other methods on the same pictures.
"""
