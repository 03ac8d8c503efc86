"""Where the socket is mounted. HTTP is not routed here (vectragrow.wsgi answers it)."""

from typing import Any

from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import re_path

from core.realtime.sockets import Socket


async def nothing_here(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Refuse the handshake of any other path: the client sees HTTP 403."""
    await receive()
    await send({"type": "websocket.close"})


websocket_application = ProtocolTypeRouter(
    {"websocket": URLRouter([re_path(r"^ws/?$", Socket.as_asgi()), re_path(r"", nothing_here)])}  # type: ignore[arg-type]
)
