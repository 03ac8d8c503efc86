"""Child processes: started in a session of their own, recorded with their start time, stopped with us."""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from vectragrow.embedded.failures import Failure

IS_LINUX = sys.platform == "linux"
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None, use_errno=True) if IS_LINUX else None


def _end_with(parent: int, last_signal: int) -> Callable[[], None]:
    """For the child, before its program begins: Linux sends it `last_signal` when we die, even by SIGKILL."""

    def prepare() -> None:
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, last_signal)
            if os.getppid() != parent:
                os._exit(1)

    return prepare


class Child:
    """One program that we run. `stop_signal` asks it to end in good order."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        cwd: str = "/",
        env: dict[str, str] | None = None,
        user: dict[str, Any] | None = None,
        pass_fds: Sequence[int] = (),
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.name = name
        self.log = log
        self.stop_signal = stop_signal
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                pass_fds=pass_fds,
                preexec_fn=_end_with(os.getpid(), stop_signal),
                **(user or {}),
            )
        self.pid = self.process.pid

    def is_running(self) -> bool:
        return self.process.poll() is None

    def log_tail(self) -> str:
        """The last line of its log, which for a failed start is nearly always the reason."""
        return last_line(self.log)


def last_line(log: Path) -> str:
    with contextlib.suppress(OSError):
        lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
        return lines[-1].strip() if lines else ""
    return ""


def stop(children: Iterable[Child], seconds: float) -> None:
    """Ask all of them to end, wait, and kill what is left, with whatever they started themselves."""
    children = list(children)
    for child in children:
        _send(child.pid, child.stop_signal, when=child.is_running())
    deadline = time.monotonic() + seconds
    for child in children:
        try:
            child.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            _send(child.pid, signal.SIGKILL)
            child.process.wait()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)


def _send(pid: int, number: int, *, when: bool = True) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if when:
            os.kill(pid, number)


def run(command: Sequence[str], *, log: Path, env: dict[str, str] | None = None, cwd: str = "/") -> bool:
    """Run to the end with its output in `log`; whether it succeeded. Interrupted, it ends first."""
    log.unlink(missing_ok=True)
    child = Child(command[0], command, log=log, env=env, cwd=cwd)
    try:
        return child.process.wait() == 0
    finally:
        if child.is_running():
            stop([child], 3)


# --- Processes of an earlier start ----------------------------------------------------------------------------------


def inherit_orphans() -> None:
    """On Linux what our children leave behind becomes ours, so that `reap` leaves no dead entry to anybody else."""
    if _libc is not None:
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)


def reap() -> None:
    """Take note of the end of processes that we inherited. Our own children must have been waited for before."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def birth(pid: int) -> str | None:
    """
    When a process began, in the system's own format, or None if there is no such process; distinguishes reused ids.
    """
    if IS_LINUX:
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            return None if fields[0] == "Z" else fields[19]
        return None
    found = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True).stdout.strip()
    return found or None


def identity(pid: int) -> dict[str, Any]:
    return {"pid": pid, "birth": birth(pid)}


def is_same(noted: dict[str, Any] | None) -> bool:
    """Whether the recorded process still runs."""
    return bool(noted) and noted["birth"] is not None and birth(noted["pid"]) == noted["birth"]  # type: ignore[index]


def end_noted(noted: dict[str, dict[str, Any]], *, gently: dict[str, signal.Signals], seconds: float) -> None:
    """End what an earlier start left behind. Most of it is ending already, since it saw its parent die."""
    left = [(name, note) for name, note in noted.items() if is_same(note)]
    for name, note in left:
        _send(note["pid"], gently.get(name, signal.SIGTERM))
    deadline = time.monotonic() + seconds
    while left and time.monotonic() < deadline:
        time.sleep(0.1)
        left = [(name, note) for name, note in left if is_same(note)]
    for _, note in left:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(note["pid"], signal.SIGKILL)
    while any(is_same(note) for _, note in left) and time.monotonic() < deadline + 5:
        time.sleep(0.1)


# --- Ports ----------------------------------------------------------------------------------------------------------


def port_problem(port: int, host: str = "127.0.0.1") -> OSError | None:
    """Why no server could listen there now, if so."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as error:
            return error
    return None


def is_free(port: int) -> bool:
    return port_problem(port) is None


def choose_port(remembered: int | None) -> int:
    """The port of last time if it is free, else a free high one below the range that outgoing connections use."""
    import random

    candidates = random.sample(range(20_000, 30_000), 200)
    for port in [remembered, *candidates] if remembered else candidates:
        if is_free(port):
            return port
    raise Failure("No free port between 20000 and 30000 was found on 127.0.0.1.")
