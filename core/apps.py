from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class CoreConfig(AppConfig):
    name = "core"

    def ready(self) -> None:
        from core.jobs import tasks  # noqa: F401  (registers the Celery tasks)
        from core.maintenance import jobs, kinds  # noqa: F401  (declare)

        autodiscover_modules("events")  # of every app, before listeners are registered
        autodiscover_modules("listeners")
        autodiscover_modules("jobs")
