"""ANALYTICS_URL, turned into what a client of ClickHouse is made with."""

from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

_INTERFACES = {"clickhouse": ("http", 8123), "clickhouses": ("https", 8443)}


def clickhouse(url: str, wait: int) -> dict[str, Any] | None:
    """
    :param url: `clickhouse://user:password@host:8123/database`, `clickhouses://` with TLS; empty: None, PostgreSQL
    :param wait: seconds that a statement may take
    :returns: arguments of `clickhouse_connect.get_client`
    :raises ImproperlyConfigured: for any other form; the message does not repeat the URL, which holds a password
    """
    if not url:
        return None
    try:
        parts = urlsplit(url)
        port, database = parts.port, parts.path.strip("/")
    except ValueError:
        parts, port, database = urlsplit(""), None, ""
    if parts.scheme not in _INTERFACES or not parts.hostname or not database or "/" in database or wait < 1:
        raise ImproperlyConfigured(
            "ANALYTICS_URL must be clickhouse://user:password@host:8123/database (clickhouses:// with TLS), and"
            " ANALYTICS_WAIT at least 1 second."
        )
    interface, usual_port = _INTERFACES[parts.scheme]
    return {
        "interface": interface,
        "host": parts.hostname,
        "port": port or usual_port,
        "username": unquote(parts.username or "default"),
        "password": unquote(parts.password or ""),
        "database": unquote(database),
        "connect_timeout": min(wait, 5),
        "send_receive_timeout": wait + 2,  # the server gives up first, and says so
        "settings": {"max_execution_time": wait},
    }
