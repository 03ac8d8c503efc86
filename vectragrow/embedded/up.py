"""`make up`: servers, migrations, our processes, a short summary; then watch until a signal to stop."""

import errno
import hashlib
import http.client
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from vectragrow.embedded import discovery, processes
from vectragrow.embedded.environment import PYTHON, ROOT
from vectragrow.embedded.failures import Failure, Stopped
from vectragrow.embedded.processes import Child
from vectragrow.embedded.servers import DataDir, Servers

LOGIN_FILE = "admin-login.txt"
READY_SECONDS = 300
"""For a machine that is slow or busy. A failed start is reported at once, since one of the processes ends."""
WORKER_SECONDS = 20
STOP_SECONDS = 6
"""How long web and worker may finish what they are at; the servers need another second, ten are promised."""
RESTARTS = 3
RESTARTS_WITHIN = 60.0


def say(text: str = "") -> None:
    """A closed terminal must not keep us from stopping what we started."""
    try:
        print(text, flush=True)  # noqa: T201
    except OSError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115


def data_dir_path() -> Path:
    return Path(os.environ.get("DATA_DIR") or ROOT / "var")


def port() -> int:
    """
    :raises Failure: if PORT is no port
    """
    text = os.environ.get("PORT") or "8000"
    if text.isascii() and text.isdigit() and 0 < int(text) < 65536:
        return int(text)
    raise Failure(f"PORT must be a number from 1 to 65535, not {text!r}.")


class Platform:
    """Everything that one `make up` runs."""

    def __init__(self, data_dir: DataDir) -> None:
        self.data_dir = data_dir
        self.port = port()
        self.logs = data_dir.path / "logs"
        self.servers: Servers | None = None
        self.ours: dict[str, Child] = {}
        self.identity_providers: dict[str, str] = {}
        """With OIDC_DEMO=1: settings for signing in with Google and LinkedIn through our own provider."""
        self.ended_at: dict[str, list[float]] = {}

    # --- Start ------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        begun = time.monotonic()
        self.data_dir.open()
        host = os.environ.get("HOST") or "127.0.0.1"
        try:
            error = processes.port_problem(self.port, host)
        except UnicodeError:
            error = OSError(errno.EINVAL, "that is no address")
        if error:
            if error.errno == errno.EADDRINUSE:
                raise Failure(f"Port {self.port} is in use: end what uses it, or choose another (make up PORT=8001).")
            raise Failure(
                f"Port {self.port} cannot be opened on {host} ({error.strerror}): "
                "choose another, or set HOST=127.0.0.1 if HOST was not meant for VECTRAGrow."
            )
        say("Starting VECTRAGrow")
        self.data_dir.note(state="starting", port=self.port)
        self.data_dir.facts["PORT"] = self.port
        self.servers = Servers(
            self.data_dir,
            database_url=os.environ.get("DATABASE_URL", ""),
            redis_url=os.environ.get("REDIS_URL", ""),
        )
        self.servers.start()
        for server in self.servers.ours:
            say(f"  {server.title} is up on 127.0.0.1:{server.port}")
        if os.environ.get("OIDC_DEMO") == "1":
            self.start_identity_provider()
        self.prepare_database()
        self.start_web()
        self.start_worker()
        self.wait_until_ready()
        self.data_dir.note(state="running")
        say(f"  Ready after {time.monotonic() - begun:.1f} s")

    @property
    def environment(self) -> dict[str, str]:
        """For our processes. The addresses they read from install.json, as a manage.py beside us does."""
        settings = os.environ.get("DJANGO_SETTINGS_MODULE", "vectragrow.settings.dev")
        return {
            **os.environ,
            "DATA_DIR": str(self.data_dir.path),
            "PORT": str(self.port),
            "HOST": os.environ.get("HOST") or "127.0.0.1",
            "DJANGO_SETTINGS_MODULE": settings,
            "PYTHONUNBUFFERED": "1",
            **self.identity_providers,
        }

    def manage(self, *arguments: str, log: str) -> bool:
        command = [str(PYTHON), str(ROOT / "manage.py"), *arguments]
        return processes.run(command, log=self.logs / log, env=self.environment, cwd=str(ROOT))

    def prepare_database(self) -> None:
        """Migrate and make the admin login; skipped, for a faster start, if our own database has had just this."""
        self.is_new = not (self.data_dir.path / LOGIN_FILE).exists()
        stamp = self.servers.postgres.data / "vectragrow.prepared" if self.servers and self.servers.postgres else None
        wanted = migrations_fingerprint()
        if stamp and stamp.exists() and stamp.read_text() == wanted and not self.is_new:
            return
        if self.is_new:
            say("  Preparing the database ...")
        if not self.manage("prepare_install", log="prepare.log"):
            log = self.logs / "prepare.log"
            reason = processes.last_line(log).removeprefix("CommandError: ")
            raise Failure(f"The database could not be prepared: {reason} (details in {log}).")
        if stamp:
            stamp.write_text(wanted)

    def start_web(self) -> None:
        self._start("web", [str(PYTHON), "-m", "vectragrow.server"])

    def start_worker(self) -> None:
        """Tasks in threads and the schedule beside them: one process, since memory is scarce on a laptop."""
        self._start(
            "worker",
            [
                *(str(PYTHON), "-m", "celery", "--app", "vectragrow", "worker", "--beat", "--pool", "threads"),
                *("--concurrency", "4", "--loglevel", "WARNING", "--without-gossip", "--without-mingle"),
            ],
        )

    def start_identity_provider(self) -> None:
        """One process for both: its issuer is the host name that it is called by. Anybody may sign in as anybody."""
        port = processes.choose_port(self.data_dir.facts.get("OIDC_PORT"))
        self.data_dir.facts["OIDC_PORT"] = port
        for name, host in (("GOOGLE", "127.0.0.1"), ("LINKEDIN", "localhost")):
            self.identity_providers |= {
                f"{name}_ISSUER": f"http://{host}:{port}",
                f"{name}_CLIENT_ID": "demo",
                f"{name}_CLIENT_SECRET": "demo",
            }
        people = [
            {"sub": name, "email": f"{name}@demo.example", "email_verified": True, "name": f"{name.title()} Demo"}
            for name in ("ada", "grace")
        ]
        known = [part for person in people for part in ("--user-claims", json.dumps(person))]
        self._start(
            "identity-provider",
            [
                str(PYTHON),
                "-W",
                "ignore",
                "-m",
                "oidc_provider_mock",
                "--port",
                str(port),
                "--require-nonce",
                "1",
                *known,
            ],
        )

    def _start(self, name: str, command: list[str]) -> None:
        child = Child(name, command, log=self.logs / f"{name}.log", env=self.environment, cwd=str(ROOT))
        self.ours[name] = child
        self.data_dir.adopt(child)

    def wait_until_ready(self) -> None:
        """
        /readyz answers 200 as soon as requests can be served; the worker may need a moment longer, and the summary
        waits for it a while, so that the first look at the home page finds everything up.

        :raises Failure: it does not answer so, or one of our processes ends
        """
        begun = time.monotonic()
        deadline = begun + READY_SECONDS
        while True:
            status, missing = self._ready_status()
            if status == 200 and ("worker" not in missing or time.monotonic() > begun + WORKER_SECONDS):
                return
            for child in self.ours.values():
                if not child.is_running():
                    raise Failure(f"{child.name} ended while starting: {child.log_tail()} (details in {child.log}).")
            if time.monotonic() > deadline:
                state = f"/readyz answers {status}" if status else "/readyz does not answer"
                raise Failure(f"Not ready after {READY_SECONDS} s: {state} (details in {self.logs}).")
            time.sleep(0.1)

    def _ready_status(self) -> tuple[int | None, list[str]]:
        """What /readyz answers, and which parts it misses; (None, []) while nobody answers."""
        host = os.environ.get("HOST", "")
        connection = http.client.HTTPConnection("127.0.0.1" if host in ("", "0.0.0.0") else host, self.port, timeout=5)
        try:
            connection.request("GET", "/readyz", headers={"Host": f"localhost:{self.port}"})
            response = connection.getresponse()
            return response.status, json.loads(response.read()).get("missing", [])
        except (OSError, ValueError, http.client.HTTPException):
            return None, []
        finally:
            connection.close()

    def summary(self) -> None:
        base = f"http://localhost:{self.port}"
        login = self.data_dir.path / LOGIN_FILE
        say()
        say(f"  VECTRAGrow     {base}/")
        say(f"  API documents  {base}/api/docs")
        say(f"  Admin          {base}/admin/")
        if self.is_new and login.exists():
            for line in login.read_text().split("\n"):
                if line.startswith(("email: ", "password: ")):
                    say(f"                 {line}")
            say(f"                 (shown once; kept in {self._short(login)})")
        else:
            say(f"                 (login in {self._short(login)})")
        say(f"  Mailbox        {base}/mailbox/")
        if self.identity_providers:
            say(f"  Sign in with   {base}/api/auth/google and {base}/api/auth/linkedin, as ada or grace")
        say(f"  Logs           {self._short(self.logs)}/")
        say()
        say("  Fill it with a demo world: make demo      Stop: Ctrl-C")
        say()

    def _short(self, path: Path) -> str:
        return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)

    def demo(self) -> None:
        """In this terminal, so that its progress is seen. The platform runs on if it fails."""
        status = run_demo(self.environment)
        if status:
            say(f"  The demo ended with status {status}; the platform runs on.")

    # --- Watch ------------------------------------------------------------------------------------------------------

    def watch(self) -> None:
        """Until a signal comes. What ends by itself is started again, a few times."""
        parent = os.getppid()
        while True:
            time.sleep(0.5)
            if "MAKELEVEL" in os.environ and os.getppid() != parent:
                raise Stopped("the make that started this is gone")
            for name, child in list(self.data_dir.children.items()):
                if not child.is_running():
                    self._again(name, child)

    def _again(self, name: str, child: Child) -> None:
        now = time.monotonic()
        recent = [moment for moment in self.ended_at.get(name, []) if now - moment < RESTARTS_WITHIN]
        self.ended_at[name] = [*recent, now]
        if len(recent) >= RESTARTS:
            raise Failure(f"{name} keeps ending: {child.log_tail()} (details in {child.log}).")
        say(f"  {name} ended with status {child.process.returncode}; starting it again.")
        processes.stop([child], 1)
        assert self.servers is not None
        restart: dict[str, Callable[[], Any]] = {
            "web": self.start_web,
            "worker": self.start_worker,
            "identity-provider": self.start_identity_provider,
        }
        for server in self.servers.ours:
            if server.child is child:
                restart[name] = lambda server=server: self.servers.start_one(server)  # type: ignore[misc]
        restart[name]()

    # --- Stop -------------------------------------------------------------------------------------------------------

    def stop(self) -> None:
        if not self.data_dir.noted:
            return  # the folder was never ours
        self.data_dir.note(state="stopping")
        processes.stop(self.ours.values(), STOP_SECONDS)
        if self.servers:
            self.servers.stop()
        processes.reap()
        self.data_dir.close()


def up() -> int:
    _stop_on_signals()
    processes.inherit_orphans()
    platform = Platform(DataDir(data_dir_path()))
    status = 0
    try:
        platform.start()
        platform.summary()
        if os.environ.get("DEMO") == "1":
            platform.demo()
        platform.watch()
    except Stopped as stopped:
        say(f"\nStopping: {stopped}." if str(stopped) else "\nStopping ...")
    except Failure as failure:
        print(failure, file=sys.stderr)  # noqa: T201
        status = 1
    finally:
        _ignore_signals()
        platform.stop()
    if not status:
        say("Stopped. The data is kept.")
    return status


_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _stop_on_signals() -> None:
    def stop(number: int, frame: FrameType | None) -> None:
        _ignore_signals()
        raise Stopped

    for number in _SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN or number != signal.SIGHUP:  # nohup stays nohup
            signal.signal(number, stop)


def _ignore_signals() -> None:
    """Stopping takes seconds at most; a second Ctrl-C must not leave half of it running."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def migrations_fingerprint() -> str:
    """Changes with every migration of ours and with the packages that bring others."""
    digest = hashlib.sha256((ROOT / "requirements.txt").read_bytes())
    for file in sorted(ROOT.glob("*/migrations/*.py")):
        digest.update(f"{file.relative_to(ROOT)} {file.stat().st_size}\n".encode() + file.read_bytes())
    return digest.hexdigest()


# --- Beside a running platform ----------------------------------------------------------------------------------------


def running() -> dict[str, Any]:
    """
    What the platform on DATA_DIR noted down.

    :raises Failure: if none runs
    """
    noted = discovery.read(data_dir_path().expanduser().absolute(), discovery.RUN_FILE_NAME)
    if not processes.is_same(noted.get("launcher")):
        raise Failure("VECTRAGrow is not running here; start it with make up in another terminal.")
    return noted


def run_demo(environment: dict[str, str], arguments: Sequence[str] = ()) -> int:
    import subprocess

    child = subprocess.Popen([str(PYTHON), str(ROOT / "manage.py"), "demo", *arguments], env=environment, cwd=ROOT)
    try:
        return child.wait()
    finally:
        if child.poll() is None:
            child.terminate()
            child.wait(5)


def demo(arguments: Sequence[str] = ()) -> int:
    noted = running()
    if noted.get("state") != "running":
        raise Failure("VECTRAGrow is still starting (or stopping); try again when it says Ready.")
    return run_demo({**os.environ, "PORT": str(noted["port"]), "DATA_DIR": str(data_dir_path())}, arguments)


def stop() -> int:
    launcher = running()["launcher"]
    os.kill(launcher["pid"], signal.SIGTERM)
    deadline = time.monotonic() + 60
    while processes.is_same(launcher):
        if time.monotonic() > deadline:
            raise Failure(f"Process {launcher['pid']} does not end.")
        time.sleep(0.1)
    say("Stopped.")
    return 0
