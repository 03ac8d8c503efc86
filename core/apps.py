from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class CoreConfig(AppConfig):
    name = "core"

    def ready(self) -> None:
        from core.jobs import events, housekeeping, tasks  # noqa: F401  (declare kinds; register jobs and tasks)

        autodiscover_modules("events")  # of every app, before anybody listens to them
        autodiscover_modules("listeners")
        autodiscover_modules("jobs")
