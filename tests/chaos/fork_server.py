"""Read by the process that forks, before all else: it dies with the one that started it, even by kill -9.

What it has forked keeps its line to that one open, so it would never see the end of it; and dies with it in turn.
"""

import os

from starter.ops.processes import die_with

die_with(os.getppid())()
