"""Several calls of a provider at the same time: one that is slow does not hold up the others."""

import threading
from collections.abc import Callable, Iterable
from contextvars import copy_context
from typing import TypeVar

from django.conf import settings
from django.db import connections

T = TypeVar("T")


class _Helpers:
    """The threads that this process may add to those that it has anyway: PROVIDER_CALLS_AT_ONCE - 1."""

    def __init__(self) -> None:
        self._busy = 0
        self._lock = threading.Lock()

    def take(self) -> int:
        """All that are free."""
        with self._lock:
            free: int = max(0, settings.PROVIDER_CALLS_AT_ONCE - 1 - self._busy)
            self._busy += free
            return free

    def give_back(self) -> None:
        with self._lock:
            self._busy -= 1


_helpers = _Helpers()


def in_parallel(items: Iterable[T], work: Callable[[T], object]) -> None:
    """
    Do `work` for every item, in this thread and in the helpers that are free; each takes the next item when it is done
    with one. A helper has a database connection of its own, and the request id of this thread.

    :param items: read one at a time, from any of these threads
    :raises BaseException: what `work` raised first; no item is begun after it
    """
    source, reading = iter(items), threading.Lock()
    failures: list[BaseException] = []

    def take_turns() -> None:
        try:
            while not failures:
                with reading:
                    item = next(source)
                work(item)
        except StopIteration:
            return
        except BaseException as failure:  # noqa: BLE001  (raised in the thread that called)
            failures.append(failure)

    def help_out() -> None:
        take_turns()
        connections.close_all()
        _helpers.give_back()

    helpers = [threading.Thread(target=copy_context().run, args=(help_out,)) for _ in range(_helpers.take())]
    for helper in helpers:
        helper.start()
    take_turns()
    for helper in helpers:
        helper.join()
    if failures:
        raise failures[0]
