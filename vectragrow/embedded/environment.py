"""The `.venv` of this checkout, kept as the lock files say."""

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from subprocess import PIPE, STDOUT

from vectragrow.embedded.failures import Failure

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
_STAMP = VENV / ".installed.json"


def ensure(*, dev: bool = False) -> None:
    """Make the environment and install what the locks name, with hashes; nothing at all if that is done already."""
    wanted = _wanted(dev)
    if _is_done(wanted):
        return
    with _alone():
        if _is_done(wanted):  # another start was faster
            return
        try:
            _make_venv()
            _install([name for name in wanted if name.endswith(".txt")])
            if missing := _missing(wanted):
                raise Failure(
                    f"The installer said it was done, and {missing} is not in {VENV}: a setting of pip or uv sends "
                    "packages elsewhere (pip config list shows pip's)."
                )
            _STAMP.write_text(json.dumps(wanted))
        except PermissionError as error:
            raise Failure(f"{error.filename} cannot be written to: make up needs a checkout of your own.") from None


def _wanted(dev: bool) -> dict[str, str]:
    names = ["requirements.txt", *(["requirements-dev.txt"] if dev else [])]
    hashes = {name: hashlib.sha256((ROOT / name).read_bytes()).hexdigest() for name in names}
    return {"python": "{}.{}".format(*sys.version_info), **hashes}


def _missing(wanted: dict[str, str]) -> str:
    """The first package of the lock files that the environment's own Python does not find in it; empty if none."""
    pinned = [
        line.split("==")[0]
        for name in wanted
        if name.endswith(".txt")
        for line in (ROOT / name).read_text().splitlines()
        if re.match(r"[A-Za-z0-9][\w.-]*==", line) and ";" not in line
    ]
    looks = (
        "import sys, importlib.metadata as installed\n"
        "for name in sys.argv[1:]:\n"
        "    try: place = str(installed.distribution(name).locate_file(''))\n"
        "    except installed.PackageNotFoundError: place = ''\n"
        "    if not place.startswith(sys.prefix): sys.exit(name)\n"
    )
    result = subprocess.run([PYTHON, "-I", "-c", looks, *pinned], capture_output=True, text=True)
    return (result.stderr.strip().splitlines() or ["Python"])[-1] if result.returncode else ""


def _is_done(wanted: dict[str, str]) -> bool:
    """A development environment serves the platform too, so it is enough that the stamp names what is wanted."""
    try:
        return PYTHON.exists() and wanted.items() <= json.loads(_STAMP.read_text()).items()
    except (OSError, ValueError):
        return False


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """One installation at a time in this checkout."""
    descriptor = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _make_venv() -> None:
    """A new environment unless a working one of this Python version is there."""
    version = "import sys; print('%d.%d' % sys.version_info[:2])"
    with contextlib.suppress(OSError):
        result = subprocess.run([PYTHON, "-c", version], capture_output=True, text=True).stdout.strip()
        if result == "{}.{}".format(*sys.version_info):
            return
    if not os.access(ROOT, os.W_OK):
        raise Failure(f"{ROOT} cannot be written to: make up needs a checkout of your own.")
    _say("Making .venv ...")
    if VENV.is_dir() and not VENV.is_symlink():
        shutil.rmtree(VENV)
    if uv := shutil.which("uv"):
        if _run([uv, "venv", "--quiet", "--python", sys.executable, str(VENV)]):
            return
        shutil.rmtree(VENV, ignore_errors=True)
    made = subprocess.run([sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True)
    if made.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        if "ensurepip" in made.stdout + made.stderr or "No module named venv" in made.stderr:
            raise Failure(
                "This Python cannot make virtual environments; on Debian and Ubuntu: apt install python3-venv."
            )
        lines = (made.stderr or made.stdout).strip().splitlines()
        raise Failure(f"{VENV} cannot be made: {lines[-1] if lines else 'no reason given'}")


def _install(locks: Sequence[str]) -> None:
    """With uv, which needs seconds; with pip if uv cannot be had or does not reach an index that pip is set up for."""
    begun = time.monotonic()
    files = [word for name in locks for word in ("-r", str(ROOT / name))]
    uv = _find_uv()
    if uv:
        _say("Installing the requirements with uv ...")
        if _uv_install(uv, files) and not _missing(dict.fromkeys(locks, "")):
            _say(f"Installed in {time.monotonic() - begun:.0f} s.")
            return
        _say("uv did not manage; trying pip.")
    if not _run([str(PYTHON), "-c", "import pip"]) and not _run([str(PYTHON), "-m", "ensurepip", "--default-pip"]):
        raise Failure(f"There is no pip in {VENV}: remove that folder, install python3-venv and try again.")
    _pip_install(files)
    _say(f"Installed in {time.monotonic() - begun:.0f} s.")


def _find_uv() -> str | None:
    """uv of this machine, else the pinned one, put into the environment by pip (one wheel)."""
    if uv := shutil.which("uv"):
        return uv
    inside = VENV / "bin" / "uv"
    if not inside.exists():
        _say("Fetching uv, which installs the rest ...")
        pinned = re.search(r"^uv==.*(?:\n    .*)*", (ROOT / "requirements-dev.txt").read_text(), re.MULTILINE)
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write(pinned[0] if pinned else "")
            file.flush()
            if not _run([str(PYTHON), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", file.name]):
                return None
    return str(inside) if inside.exists() else None


def _uv_install(uv: str, files: Sequence[str]) -> bool:
    """uv says what it fetches while it does; its closing list of every package is left out."""
    command = [uv, "pip", "install", "--python", str(PYTHON), "--require-hashes", *files]
    environment = {"UV_SYSTEM_CERTS": "1", "UV_LINK_MODE": "copy", **os.environ}
    process = subprocess.Popen(command, env=environment, stdout=PIPE, stderr=STDOUT, text=True)
    for line in process.stdout or ():
        if not line.startswith((" + ", " - ", " ~ ")):
            _say(f"  {line.strip()}")
    return process.wait() == 0


def _pip_install(files: Sequence[str]) -> None:
    """pip says a line for each package; we count them, and show its reason if it fails."""
    total = sum(len(re.findall(r"^\S+==", Path(name).read_text(), re.MULTILINE)) for name in files[1::2])
    command = [str(PYTHON), "-m", "pip", "install", "--require-hashes", "--progress-bar", "off", *files]
    process = subprocess.Popen(command, stdout=PIPE, stderr=STDOUT, text=True)
    said = ["no reason given"]
    seen = 0
    for line in process.stdout or ():
        said.append(line.strip())
        if line.startswith("Collecting "):
            seen += 1
            if seen % 10 == 0:
                _say(f"  {seen} of about {total} packages")
        elif line.startswith("Installing collected"):
            _say(f"  unpacking {seen} packages")
    if process.wait() != 0:
        reason = next((line for line in reversed(said) if line.startswith("ERROR")), said[-1])
        raise Failure(f"The requirements could not be installed: {reason.removeprefix('ERROR: ')}")


def _run(command: Sequence[str]) -> bool:
    try:
        return subprocess.run(command).returncode == 0
    except OSError:
        return False


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201
