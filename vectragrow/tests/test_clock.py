"""One clock, so that it can be moved."""

import re

from django.conf import settings

ELSEWHERE = re.compile(r"\btimezone\.now\b|\bdatetime\.(now|today|utcnow)\(|\bdate\.today\(")
MAY = {"core/clock.py": "the clock itself"}
OUTSIDE = (".", "var/", "bench/", "vectragrow/embedded/", "vectragrow/demo/")
"""Other files, measurements, the launcher, and what talks to a running platform from outside."""


def test_code_reads_the_one_clock() -> None:
    found = []
    for path in settings.BASE_DIR.glob("*/**/*.py"):
        name = path.relative_to(settings.BASE_DIR).as_posix()
        if "/tests/" in name or "/migrations/" in name or name.startswith(OUTSIDE):
            continue
        if name not in MAY and ELSEWHERE.search(path.read_text()):
            found.append(name)
    assert not found, "use core.clock.now()"
