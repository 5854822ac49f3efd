"""`make bench`: how well guardian finds copies, what that costs, and whether its memory stays flat.

Uses guardian by its command line and public doors only, beside other methods on the same pictures.
"""

from guardian.child_process import one_thread_for_algebra

# As the worker processes do that it measures.
one_thread_for_algebra()
