"""A worker that takes memory until the kernel ends it, in the control group that it is told."""

import os
import sys
from pathlib import Path

from journal import note

note("start")
Path(sys.argv[1]).write_text(str(os.getpid()))
taken = [bytearray(1 << 20) for _ in range(1000)]  # a bound, where nobody ends it
