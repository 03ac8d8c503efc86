"""Runs the platform, as `make up` does, in a folder of its own: for the steps of CI that talk to it from outside."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from vectragrow.embedded.processes import choose_port  # noqa: E402

_NOT_OURS = ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE", "MAKELEVEL", "DEMO", "OIDC_DEMO", "PUBLIC_URL")


@dataclass(frozen=True)
class Platform:
    """`base` is its address, `environment` what `manage.py` beside it needs."""

    base: str
    environment: Mapping[str, str]

    def manage(self, *words: str) -> str:
        """Run an operator's command and return what it printed."""
        command = [sys.executable, "manage.py", *words]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"manage.py {' '.join(words)} failed: {done.stderr or done.stdout}")
        return done.stdout.strip()

    def server_errors(self) -> str:
        """What the web process logged of unexpected errors."""
        log = Path(self.environment["DATA_DIR"], "logs", "web.log")
        return "".join(line for line in log.open(errors="replace") if '"level":"error"' in line)


@contextmanager
def running(folder: Path) -> Iterator[Platform]:
    """
    Start the platform on a new database under `folder`; it is stopped at the end.

    :raises SystemExit: it did not start
    """
    kept = {name: value for name, value in os.environ.items() if name not in _NOT_OURS}
    port = str(choose_port(None))
    environment = {**kept, "DATA_DIR": str(folder / "var"), "PORT": port}
    process = subprocess.Popen(
        [sys.executable, "-m", "vectragrow.embedded", "up", "--inside"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout
        said = ""
        for line in process.stdout:
            said += line
            if "Stop: Ctrl-C" in line:
                break
        else:
            raise SystemExit(f"The platform did not start:\n{said}")
        threading.Thread(target=_read_on, args=(process.stdout,), daemon=True).start()
        yield Platform(f"http://localhost:{port}", environment)
    finally:
        _end(process)


def _read_on(output: IO[str]) -> None:
    """Nobody reads what it says later, but a full pipe would stop it."""
    for _ in output:
        pass


def _end(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
