"""HTTP. Every REST call runs here, never through Django's ASGI handler (PERFORMANCE-GOALS.md)."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vectragrow.settings.dev")

application = get_wsgi_application()
