"""
What the launcher writes into DATA_DIR, for itself and for a `manage.py` that runs beside it.

`install.json` (mode 0600) is kept: the generated secrets, ports and passwords, and the addresses of the last start.
`run.json` lives as long as a start does: who runs, on which port, and every process that was started.
"""

import json
import os
from pathlib import Path
from typing import Any

FILE_NAME = "install.json"
RUN_FILE_NAME = "run.json"


def read(data_dir: Path, name: str = FILE_NAME) -> dict[str, Any]:
    """DATABASE_URL, REDIS_URL, SECRET_KEY, DOCUMENT_KEYS, PORT and notes; {} before the first start."""
    try:
        return dict(json.loads((data_dir / name).read_text()))
    except (OSError, ValueError):
        return {}


def write(data_dir: Path, facts: dict[str, Any], name: str = FILE_NAME) -> None:
    """Replace the file in one step, so that a reader never sees half of it and a crash leaves the old one."""
    fresh = data_dir / f".{name}.new"
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(facts, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(data_dir / name)
