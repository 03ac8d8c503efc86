"""
Where pictures are decoded and drawn: on a few threads of their own, never on one that serves requests, and a limited
number at once (SECURITY-GOALS 43). A picture of 25 megapixels takes seconds and 250 MB.

Pillow lets other threads run while it decodes, scales and encodes (into a file: `uploads.images`).
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TypeVar

from core.api.errors import Overloaded

T = TypeVar("T")

AT_ONCE = 2
WAITING = 1
"""Callers that may wait for a thread, each blocking a request's thread; the next one is refused as `Overloaded`."""

_threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="pictures")
_free = threading.BoundedSemaphore(AT_ONCE + WAITING)


def on_picture_thread(work: Callable[[], T]) -> T:
    """
    Run `work` on a thread for pictures and wait for it.

    :raises Overloaded: too many pictures are being worked on
    """
    if not _free.acquire(blocking=False):
        raise Overloaded(retry_after=timedelta(seconds=5))
    try:
        return _threads.submit(work).result()
    finally:
        _free.release()
