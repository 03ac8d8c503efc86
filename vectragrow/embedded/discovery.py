"""Where the embedded servers are, for a `manage.py` that runs beside `make up`. Imports nothing but the standard library."""

import json
from pathlib import Path
from typing import Any

FILE_NAME = "install.json"


def read(data_dir: Path) -> dict[str, Any]:
    """What the launcher wrote into DATA_DIR: DATABASE_URL, REDIS_URL, SECRET_KEY, DOCUMENT_KEYS; {} before the first start."""
    try:
        return json.loads((data_dir / FILE_NAME).read_text())
    except (OSError, ValueError):
        return {}
