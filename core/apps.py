from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class CoreConfig(AppConfig):
    name = "core"

    def ready(self) -> None:
        from core.jobs import events, tasks  # noqa: F401  (declare the kinds of core; register the Celery tasks)

        autodiscover_modules("events")  # of every app, before anybody listens to them
        autodiscover_modules("listeners")
