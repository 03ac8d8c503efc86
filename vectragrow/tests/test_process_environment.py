"""What other tools export into a shell, and a home that is no use: the launcher works all the same."""

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from vectragrow.embedded import environment, processes
from vectragrow.embedded.environment import ROOT
from vectragrow.embedded.postgres import Postgres, Programs, find_programs
from vectragrow.embedded.process_environment import tidied
from vectragrow.tests.test_embedded_up import ended, launcher, noted, port, status, wait_for_ready  # noqa: F401

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(240)]

HOSTILE = {
    "HOST": "x86_64-conda-linux-gnu",
    "PGHOST": "db.example",
    "PGHOSTADDR": "192.0.2.1",
    "PGPORT": "1",
    "PGDATA": "/srv/data",
    "PGUSER": "ada",
    "PGOPTIONS": "-c nonsense=1",
    "PGSSLMODE": "verify-full",
    "PGSERVICE": "none",
    "PGPASSFILE": "/nowhere",
    "PGREQUIREAUTH": "none",
    "PIP_USER": "1",
    "PIP_TARGET": "/tmp/elsewhere",
    "PIP_PREFIX": "/tmp/elsewhere",
    "PIP_REQUIRE_VIRTUALENV": "1",
    "PIP_DRY_RUN": "1",
    "UV_TARGET": "/tmp/elsewhere",
    "UV_PYTHON": "3.7",
    "UV_SYSTEM_PYTHON": "1",
    "VIRTUAL_ENV": "/tmp/elsewhere",
    "PYTHONPATH": "/tmp/elsewhere",
    "PYTHONWARNINGS": "error",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUSERBASE": "/nowhere",
    "DJANGO_SETTINGS_MODULE": "mysite.settings",
    "LC_ALL": "xx_XX.UTF-8",
    "TMPDIR": "/no/such/folder",
    "HOME": "/no/such/home",
    "LOG_LEVEL": "",
    "DATA_DIR": "",
}


def test_what_goes_and_what_stays() -> None:
    meant = {
        "PATH": "/bin",
        "PIP_INDEX_URL": "https://pypi.example",
        "PIP_CERT": "/etc/ssl/x.pem",
        "UV_INDEX_OURS_PASSWORD": "x",
        "UV_SYSTEM_CERTS": "1",
        "PORT": "8001",
        "HOME": "/",
    }
    kept, notes = tidied(HOSTILE | meant)
    gone = set(HOSTILE) - set(kept)
    assert gone == set(HOSTILE) - {"LC_ALL", "HOME"} and meant.items() <= kept.items()
    assert [note.split("=")[0] for note in notes] == ["HOST", "DJANGO_SETTINGS_MODULE", "TMPDIR"]


@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1", "::1", "localhost", "intranet.example"])
def test_an_address_stays(host: str) -> None:
    assert tidied({"HOST": host})[0]["HOST"] == host


def test_the_name_of_this_machine_is_what_a_shell_exports() -> None:
    assert "HOST" not in tidied({"HOST": socket.gethostname()})[0]


def test_with_a_database_of_ones_own_its_variables_stay() -> None:
    found = {"DATABASE_URL": "postgres://a@db.example/b", "PGSSLROOTCERT": "/etc/ssl/db.pem"}
    assert found.items() <= tidied(found)[0].items()


def test_make_up_in_a_hostile_shell(tmp_path: Path, port: str, ended: Callable[..., None]) -> None:  # noqa: F811
    hostile = {name: value for name, value in HOSTILE.items() if name not in ("DATA_DIR", "PYTHONPATH")}
    process = launcher("up", tmp_path / "var", PORT=port, **hostile)
    ended(process)
    said = wait_for_ready(process)
    assert "HOST=x86_64-conda-linux-gnu names this machine to other tools" in said
    assert status(int(port), "/readyz") == 200
    assert {"postgres", "valkey", "web", "worker"} == set(noted(tmp_path / "var")["children"])


def test_an_address_that_is_none_is_named(tmp_path: Path, port: str, ended: Callable[..., None]) -> None:  # noqa: F811
    process = launcher("up", tmp_path / "var", PORT=port, HOST="no such host")
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 1 and "set HOST=127.0.0.1" in said and "Traceback" not in said


# --- Installing -------------------------------------------------------------------------------------------------------


@pytest.fixture
def checkout(tmp_path: Path) -> tuple[Path, Path]:
    """A checkout whose lock names one package, which lies beside it; in a folder whose name has a blank."""
    root = tmp_path / "a folder é" / "checkout"
    shutil.copytree(ROOT / "vectragrow" / "embedded", root / "vectragrow" / "embedded")
    (root / "vectragrow" / "__init__.py").touch()
    shutil.copy(ROOT / "Makefile", root)
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    wheel = wheels / "vgprobe-1.0-py3-none-any.whl"
    info = "vgprobe-1.0.dist-info"
    record = "".join(f"{name},,\n" for name in ("vgprobe.py", f"{info}/METADATA", f"{info}/WHEEL", f"{info}/RECORD"))
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("vgprobe.py", "HERE = __file__\n")
        file.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: vgprobe\nVersion: 1.0\n")
        file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{info}/RECORD", record)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (root / "requirements.txt").write_text(f"vgprobe==1.0 \\\n    --hash=sha256:{digest}\n")
    (root / "requirements-dev.txt").write_text("")
    return root, wheels


def install(
    root: Path, wheels: Path, *, umask: int = 0o022, path: str = "", **surroundings: str
) -> CompletedProcess[str]:
    return subprocess.run(
        ["make", "dev", f"PYTHON={getattr(sys, '_base_executable', sys.executable)}"],
        cwd=root,
        env={
            **os.environ,
            "PATH": path or os.environ["PATH"],
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(wheels),
            "UV_NO_INDEX": "1",
            "UV_FIND_LINKS": str(wheels),
            **surroundings,
        },
        umask=umask,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("with_uv", [True, False], ids=["uv", "pip"])
def test_packages_land_in_the_environment(checkout: tuple[Path, Path], tmp_path: Path, with_uv: bool) -> None:
    root, wheels = checkout
    elsewhere = tmp_path / "elsewhere"
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("make", "env", "sh", "sed", "grep"):
        (tools / tool).symlink_to(shutil.which(tool) or f"/bin/{tool}")
    if with_uv:
        (tools / "uv").symlink_to(environment.VENV / "bin" / "uv")
    aimed = {name: value.replace("/tmp/elsewhere", str(elsewhere)) for name, value in HOSTILE.items()}
    aimed |= {"PYTHONHOME": "/nowhere", "MAKEFLAGS": "-j4", "PYTHONSAFEPATH": "1"}
    done = install(root, wheels, umask=0o077, path=str(tools), **aimed)
    assert done.returncode == 0, done.stdout + done.stderr
    assert ("with uv" in done.stdout) == with_uv
    look = [str(root / ".venv/bin/python"), "-I", "-c", "import vgprobe; print(vgprobe.HERE)"]
    done = subprocess.run(look, capture_output=True, text=True)
    assert done.stdout.startswith(str(root / ".venv")) and not elsewhere.exists()


def test_an_installer_that_puts_packages_elsewhere_is_found_out(checkout: tuple[Path, Path], tmp_path: Path) -> None:
    root, wheels = checkout
    (tmp_path / "pip.conf").write_text(f"[install]\ntarget = {tmp_path / 'elsewhere'}\n")
    settings = {"PIP_CONFIG_FILE": str(tmp_path / "pip.conf"), "PATH": "/usr/bin:/bin"}
    for _ in range(2):
        done = install(root, wheels, path="/usr/bin:/bin", umask=0o022, **settings)
        assert done.returncode != 0 and "vgprobe is not in" in done.stderr, done.stdout + done.stderr
        assert not (root / ".venv" / ".installed.json").exists(), "the stamp is written after looking"


@pytest.mark.skipif(os.geteuid() != 0, reason="only as root PostgreSQL runs as somebody else")
def test_as_root_with_an_installation_that_only_root_reads(tmp_path: Path) -> None:
    found = find_programs()
    assert found and found.wheel
    site = tmp_path / "site-packages"
    for part in found.wheel:
        if part.exists():
            shutil.copytree(part, site / part.name, symlinks=True)
    for place, _, names in os.walk(site):
        os.chmod(place, 0o700)
        for name in names:
            path = Path(place, name)
            if not path.is_symlink():
                path.chmod(path.stat().st_mode & 0o700)
    moved = tuple(site / part.name for part in found.wheel)
    tmp_path.chmod(0o755)
    before = os.umask(0o077)
    try:
        server = Postgres(tmp_path / "var", {})
        server.__dict__["programs"] = Programs(moved[0] / "pginstall" / "bin", found.major, moved)
        server.start()
        assert server.child and processes.is_same(processes.identity(server.child.pid))
    finally:
        os.umask(before)
        if server.child:
            processes.stop([server.child], 10)
        server.clean_up()
