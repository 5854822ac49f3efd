"""`make bench`: how well guardian finds copies, what that costs, and whether its memory stays flat.

Uses guardian by its command line and public doors only, beside other methods on the same pictures.
"""

import os

from guardian.child_process import choose_one_thread_for_algebra

# As the worker processes do that it measures.
choose_one_thread_for_algebra(os.environ)
