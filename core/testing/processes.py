"""Programs that tests start. They end with the test, at the latest with the test run, and so do their own children."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.conf import settings

from core.testing import WAIT_LIMIT, eventually
from vectragrow.embedded.processes import Child, choose_port, stop


class Program:
    """A program that is asked to end and, if it does not, is killed with its own children (`vectragrow.embedded`)."""

    def __init__(self, *command: str, python: str = sys.executable, **environment: str) -> None:
        """
        :param command: what follows `python`, such as `-m celery`; `environment` is added to ours
        :param python: that of another environment, for programs that are not installed in ours
        """
        self._folder = tempfile.TemporaryDirectory(prefix="vectragrow-test-")
        self.child = Child(
            command[-1],
            [python, *command],
            log=Path(self._folder.name, "log"),
            cwd=str(settings.BASE_DIR),
            env={**os.environ, **environment},
        )
        self.process: subprocess.Popen[bytes] = self.child.process

    def wait_for(self, holds: Callable[[], object], within: float = WAIT_LIMIT) -> None:
        """:raises AssertionError: it ended, or it never came to that; then it is ended"""

        def still() -> object:
            assert self.child.is_running(), f"it ended: {self.output()}"
            return holds()

        try:
            eventually(still, within)
        except BaseException:
            self.end()
            raise

    def output(self) -> str:
        return self.child.log.read_text(errors="replace")

    def end(self) -> None:
        stop([self.child], WAIT_LIMIT)
        self._folder.cleanup()


def kill_group(process: "subprocess.Popen[str] | subprocess.Popen[bytes]") -> None:
    """Kill a process that leads a session, with all that is left of it."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextmanager
def program(*command: str, **environment: str) -> Iterator[Program]:
    running = Program(*command, **environment)
    try:
        yield running
    finally:
        running.end()


def free_port() -> int:
    """Outside the range that the system takes ports of connections from, so that nobody is given it meanwhile."""
    return choose_port(None)


def is_open(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
