"""Start a server for a measurement, read what it cost, keep the figures."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"
TICKS = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(*words: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A server process that answers on `port`; stopped at the end."""
    environment = {**os.environ, "PORT": str(port), "LOG_LEVEL": "WARNING"}
    process = subprocess.Popen([sys.executable, "-m", *words], cwd=ROOT, env=environment)
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if process.poll() is not None:
                raise SystemExit(f"{words[0]} ended before it answered")
            time.sleep(0.1)
        yield process
    finally:
        process.terminate()
        process.wait(30)


def family(pid: int) -> list[int]:
    """A process and its descendants."""
    found = [pid]
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError):
                continue
            if parent in found and int(entry.name) not in found:
                found.append(int(entry.name))
    return found


def cpu_seconds(pid: int) -> float:
    total = 0
    for member in family(pid):
        fields = (Path("/proc") / str(member) / "stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def memory_mb(pid: int) -> float:
    """Proportional memory of a process and its descendants, MB."""
    kilobytes = 0
    for member in family(pid):
        for line in (Path("/proc") / str(member) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                kilobytes += int(line.split()[1])
    return kilobytes / 1024


def keep(name: str, figures: dict[str, Any]) -> None:
    """Print figures beside the committed ones, by ratio, and write them."""
    RESULTS.mkdir(exist_ok=True)
    target = RESULTS / f"{name}.json"
    before = json.loads(target.read_text()) if target.exists() else {}
    for key, value in figures.items():
        known = before.get(key)
        ratio = f"   {value / known:5.2f} × the run before" if isinstance(known, int | float) and known else ""
        sys.stdout.write(f"{name}.{key:<32}{value:>10.2f}{ratio}\n")
    target.write_text(json.dumps(figures, indent=1) + "\n")
