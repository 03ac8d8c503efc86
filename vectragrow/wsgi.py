"""HTTP. Every REST call runs here, never through Django's ASGI handler (PERFORMANCE-GOALS.md)."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vectragrow.settings.dev")

application = get_wsgi_application()

# A request makes some thousand objects and drops nearly all of them by counting references. By default the cycle
# collector would look for cycles several times in each request, among everything that was loaded at the start too.
COLLECT_AFTER = 20_000
gc.collect()
gc.freeze()
gc.set_threshold(COLLECT_AFTER, 10, 10)
