"""
The environment variables of the calling shell, without those of other tools that would change what we start: a `HOST`
that conda exports, `PGOPTIONS` of somebody's own server, `PIP_USER`, `PYTHONPATH` ...
"""

import ipaddress
import os
import re
import socket
from collections.abc import Mapping

_PIP = (
    "CACHE_DIR CERT CLIENT_CERT CONFIG_FILE DEFAULT_TIMEOUT DISABLE_PIP_VERSION_CHECK EXTRA_INDEX_URL FIND_LINKS "
    "INDEX_URL KEYRING_PROVIDER NO_CACHE_DIR NO_INDEX PROXY RETRIES TIMEOUT TRUSTED_HOST"
).split()
_UV = (
    "CACHE_DIR CONFIG_FILE DEFAULT_INDEX EXTRA_INDEX_URL FIND_LINKS HTTP_RETRIES HTTP_TIMEOUT INDEX INDEX_STRATEGY "
    "INDEX_URL INSECURE_HOST KEYRING_PROVIDER LINK_MODE NATIVE_TLS NO_CACHE NO_INDEX OFFLINE SYSTEM_CERTS"
).split()
_PYTHON = ("DEVMODE FAULTHANDLER HASHSEED MALLOC PYCACHEPREFIX TRACEMALLOC UNBUFFERED UTF8 IOENCODING").split()
"""Without DONTWRITEBYTECODE: every program that we start would compile thousands of files again, for seconds."""
KEPT = {"PIP_": _PIP, "UV_": _UV, "PYTHON": _PYTHON}
"""By prefix, what says where packages come from and how Python talks; not what says where things go or what runs."""
_UV_CREDENTIALS = re.compile(r"UV_INDEX_\w+_(USERNAME|PASSWORD)")
_TRIPLET = re.compile(r"[a-z0-9_]+-[a-z0-9_]+(-[a-z0-9_]+)+")
"""What compilers call a machine, such as `x86_64-conda-linux-gnu`."""
OUR_SETTINGS = "vectragrow.settings."


def tidied(found: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """
    :param found: the variables of the shell
    :returns: the variables to keep, and a note for each removed one that somebody may miss
    """
    notes: list[str] = []
    kept = {name: value for name, value in found.items() if value and _is_ours_to_keep(name)}
    if not kept.get("DATABASE_URL"):  # with an address of one's own they may be meant for it
        kept = {name: value for name, value in kept.items() if not re.fullmatch(r"PG[A-Z]+", name)}
    host = kept.get("HOST", "")
    if (_TRIPLET.fullmatch(host) and not _is_address(host)) or host == socket.gethostname():
        notes.append(f"HOST={host} names this machine to other tools; it is left aside.")
        del kept["HOST"]
    settings = kept.get("DJANGO_SETTINGS_MODULE", "")
    if settings and not settings.startswith(OUR_SETTINGS):
        notes.append(f"DJANGO_SETTINGS_MODULE={settings} is of another project; it is left aside.")
        del kept["DJANGO_SETTINGS_MODULE"]
    for name in ("TMPDIR", "TEMP", "TMP"):
        if name in kept and not os.access(kept[name], os.W_OK | os.X_OK):
            notes.append(f"{name}={kept[name]} is no folder to write to; it is left aside.")
            del kept[name]
    home = kept.get("HOME", "")
    if not (home and os.path.isdir(home) and os.access(home, os.W_OK)):
        kept.setdefault("UV_NO_CACHE", "1")
        kept.setdefault("PIP_NO_CACHE_DIR", "1")
    kept.setdefault("PYTHONUTF8", "1")  # whatever the locale is, and whether it exists here
    return kept, notes


def tidy() -> list[str]:
    """Clean our own environment, and so that of every child process. Returns the notes to print."""
    kept, notes = tidied(os.environ)
    os.environ.clear()
    os.environ.update(kept)
    return notes


def _is_ours_to_keep(name: str) -> bool:
    if name in ("VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT") or _UV_CREDENTIALS.fullmatch(name):
        return name.startswith("UV_")
    for prefix, wanted in KEPT.items():
        if name.startswith(prefix):
            return name.removeprefix(prefix) in wanted
    return True


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
