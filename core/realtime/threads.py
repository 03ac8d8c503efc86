"""Database work for the event loop: a small pool of threads, each holding a connection only while it works."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import Any, TypeVar

from django.conf import settings
from django.db import close_old_connections

from core.data.postgres import waiting

R = TypeVar("R")

_pool = ThreadPoolExecutor(settings.SOCKET_THREADS, thread_name_prefix="socket")


async def in_thread(function: Callable[..., R], *args: Any, **kwargs: Any) -> R:
    """Run `function` on a thread of the pool, in the caller's context (request id, client address)."""
    call = partial(copy_context().run, _with_connection, partial(function, *args, **kwargs))
    return await asyncio.get_running_loop().run_in_executor(_pool, call)


def _with_connection(function: Callable[[], R]) -> R:
    close_old_connections()
    try:
        with waiting.at_most(settings.DATABASE_WAIT):
            return function()
    finally:
        close_old_connections()
