"""
Send a running platform what Schemathesis makes up from its API document, signed in as a person who can do most things.

    .venv/bin/python .ci/fuzz.py

FUZZ_SECONDS (300) says how long, FUZZ_SEED (1) what is made up. No answer may be a 5xx, of an undeclared status or
content type, or break its schema.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from running_platform import Platform, running

from vectragrow.demo.story import Story

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
SECONDS = int(os.environ.get("FUZZ_SECONDS", "300"))
ENDS_THE_SESSION = {
    "POST /api/auth/logout": "Noor",
    "POST /api/auth/logout-all": "Rafael",
    "DELETE /api/auth/sessions/{sessionId}": "Jonas",
    "DELETE /api/profile": "Yara",
}
"""Each has a short run of its own at the end, with this person's token."""
ITS_SECONDS = 10
OFTEN = 0.7
"""How often an id in a path is one that exists."""


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="vectragrow-fuzz-") as folder, running(Path(folder)) as platform:
        os.environ.update(platform.environment)  # for the commands of the story
        story = Story(platform.base, say=lambda text: print(f"fuzz: {text}", flush=True))
        story.everybody_signs_up()
        story.staff_get_their_roles()
        story.founders_and_backers_prove_who_they_are()
        story.founders_publish_campaigns()
        story.backers_invest()
        story.they_talk()
        config = _config(Path(folder), _ids(story))
        token = story.people["Mei"].app.token
        statuses = [_fuzz(platform, config, token, SECONDS, *(f"--exclude-name={name}" for name in ENDS_THE_SESSION))]
        story.people["Mei"].app.get("/api/auth/me")  # fails if the session ended meanwhile, since little was tried then
        for name, person in ENDS_THE_SESSION.items():
            token = story.people[person].app.token
            statuses.append(_fuzz(platform, config, token, ITS_SECONDS, f"--include-name={name}"))
        if errors := platform.server_errors():
            print(f"fuzz: the platform logged errors:\n{errors}", file=sys.stderr)
    if errors or any(statuses):
        raise SystemExit(1)


def _ids(story: Story) -> dict[str, list[str]]:
    """What exists of and around the person whose token is used, by the name of the path's parameter."""
    app = story.people["Mei"].app

    def listed(path: str) -> list[str]:
        return [str(row["id"]) for row in app.get(path, limit=100)["items"]]

    return {
        "campaignId": listed("/api/campaigns"),
        "investmentId": listed("/api/investments"),
        "methodId": listed("/api/investments/payment-methods"),
        "conversationId": listed("/api/chat/conversations"),
        "notificationId": listed("/api/notifications"),
        "provider": ["sandbox"],
        "platform": ["google", "linkedin"],
        "badge": ["identity", "address"],
    }


def _config(folder: Path, ids: dict[str, list[str]]) -> Path:
    lines = []
    for name, values in ids.items():
        lines += [f"[dictionaries.{name}]", f"values = {json.dumps(values)}"]
    lines.append("[parameters]")
    lines += [f'"path.{name}" = {{ dictionary = "{name}", probability = {OFTEN} }}' for name in ids]
    config = folder / "schemathesis.toml"
    config.write_text("\n".join(lines))
    return config


def _fuzz(platform: Platform, config: Path, token: str, seconds: int, *options: str) -> int:
    """The exit status of Schemathesis."""
    seed = ["--seed=" + os.environ.get("FUZZ_SEED", "1")]
    command: list[Any] = [
        Path(sys.executable).with_name("schemathesis"), f"--config-file={config}",
        "run", f"{platform.base}/api/schema", f"--header=Authorization:Bearer {token}",
        f"--checks={','.join(CHECKS)}", f"--max-time={seconds}", "--continue-on-failure", "--warnings=off",
        "--suppress-health-check=all", "--request-timeout=60", *options, *seed,
    ]  # fmt: skip
    return subprocess.run(command, cwd=config.parent).returncode


if __name__ == "__main__":
    main()
