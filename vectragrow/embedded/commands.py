"""The command line of the launcher. First the environment, then the same command again inside it."""

import os
import sys

from vectragrow.embedded import environment, process_environment
from vectragrow.embedded.failures import Failure, Stopped

USAGE = "python3 -m vectragrow.embedded up | demo [--logins] | stop | test [pytest arguments] | install [--dev]"
INSIDE = "--inside"
"""Marks the second call, which runs on .venv's Python."""


def main(arguments: list[str]) -> int:
    """The exit status. What the reader can mend is one sentence on the terminal, not a traceback."""
    try:
        for note in process_environment.tidy():
            print(note, file=sys.stderr)  # noqa: T201
        return _run(arguments)
    except Failure as failure:
        print(failure, file=sys.stderr)  # noqa: T201
    except (KeyboardInterrupt, Stopped):
        print("\nStopped.", file=sys.stderr)  # noqa: T201
        return 130
    except OSError as error:
        print(f"{error.strerror or error}: {error.filename or 'the system gave no name'}", file=sys.stderr)  # noqa: T201
    return 1


def _run(arguments: list[str]) -> int:
    if sys.platform == "win32":
        raise Failure("VECTRAGrow runs on Linux and macOS; on Windows use WSL.")
    if not arguments:
        raise Failure(USAGE)
    command, *rest = arguments
    if rest[:1] == [INSIDE]:
        return _run_inside(command, rest[1:])
    if command not in ("up", "demo", "stop", "test", "install"):
        raise Failure(USAGE)
    provider = command == "up" and os.environ.get("OIDC_DEMO") == "1"
    environment.ensure(dev=command == "test" or provider or "--dev" in rest)
    if command == "install":
        return 0
    os.chdir(environment.ROOT)
    sys.stdout.flush()
    os.execv(environment.PYTHON, [str(environment.PYTHON), "-m", "vectragrow.embedded", command, INSIDE, *rest])


def _run_inside(command: str, rest: list[str]) -> int:
    from vectragrow.embedded import up

    if command == "up":
        return up.up()
    if command == "demo":
        return up.demo(rest)
    if command == "stop":
        return up.stop()
    if not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
        os.environ.pop("DJANGO_SETTINGS_MODULE", None)  # servers of the tests' own come with settings of their own
    workers = [] if "-n" in rest else ["-n", "2", "--dist", "worksteal"]
    os.execv(environment.PYTHON, [str(environment.PYTHON), "-m", "pytest", *workers, *rest])
