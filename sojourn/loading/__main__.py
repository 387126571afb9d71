"""`python -m sojourn.loading FOLDER RESULT`: what a project's Python files define, for `read_python`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from sojourn.loading.reading import write_result

if __name__ == "__main__":
    write_result(Path(sys.argv[1]), Path(sys.argv[2]))
    # Threads that a file has started are not waited for: all that was asked is written.
    sys.stdout.flush()
    os._exit(0)
