"""
`python3 -m vectragrow.embedded up|demo|stop|test|install`. Parses on old Pythons, to refuse them with a clear message.
"""

import os
import subprocess
import sys

if sys.version_info < (3, 11):
    for _name in ("python3.14", "python3.13", "python3.12", "python3.11"):
        try:
            with open(os.devnull, "w") as _nowhere:
                _works = subprocess.call([_name, "-c", ""], stderr=_nowhere) == 0
        except OSError:
            continue
        if _works:
            os.execvp(_name, [_name, "-m", "vectragrow.embedded"] + sys.argv[1:])
    sys.exit(
        "VECTRAGrow needs Python 3.11 or newer and this is %d.%d: install one, or name it: make up PYTHON=python3.12"
        % sys.version_info[:2]
    )

from vectragrow.embedded.commands import main

sys.exit(main(sys.argv[1:]))
