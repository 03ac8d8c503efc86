"""The ASGI application for `/ws/` only. HTTP is served by vectragrow.wsgi."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vectragrow.settings.dev")
get_wsgi_application()  # loads the apps

from vectragrow.routing import websocket_application  # noqa: E402

application = websocket_application
