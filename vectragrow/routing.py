"""Where the socket is mounted. HTTP never comes here (vectragrow.wsgi answers it)."""

from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import re_path

from core.sockets import Socket

websocket_application = ProtocolTypeRouter({"websocket": URLRouter([re_path(r"^ws/?$", Socket.as_asgi())])})
