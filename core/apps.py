from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class CoreConfig(AppConfig):
    name = "core"

    def ready(self) -> None:
        from core.jobs import tasks  # noqa: F401  (registers the Celery tasks)
        from core.maintenance import jobs, kinds  # noqa: F401  (declare)

        autodiscover_modules("events")  # of every app, before anybody listens to them
        autodiscover_modules("listeners")
        autodiscover_modules("jobs")
