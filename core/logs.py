"""Log lines: one JSON object each, UTC, with the request id; and a short form for a terminal."""

import logging
from datetime import UTC, datetime

from core import context
from core.api.rendering import to_json

_STANDARD = set(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "request_id",
    "taskName",
    "request",
    "server_time",
}


class RequestId(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = context.request_id.get()
        return True


class JSONFormatter(logging.Formatter):
    """`logger.info("what happened", extra={"userId": ...})`: the extras become members."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id := getattr(record, "request_id", ""):
            line["requestId"] = request_id
        extras = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        line.update({name: value if isinstance(value, int | float) else str(value) for name, value in extras.items()})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return to_json(line).decode()


class TerminalFormatter(logging.Formatter):
    """`10:00:00 warning core: message key=value` for people at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).astimezone().strftime("%H:%M:%S")
        line = f"{time} {record.levelname.lower()} {record.name}: {record.getMessage()}"
        extras = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        line += "".join(f" {name}={value}" for name, value in extras.items())
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line
