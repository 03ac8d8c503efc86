from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class VectragrowConfig(AppConfig):
    """Pages and commands of the whole platform."""

    name = "vectragrow"
    default = True

    def ready(self) -> None:
        from vectragrow import celery  # noqa: F401  (makes our Celery application the one that tasks belong to)


class StaffAdminConfig(admin_apps.AdminConfig):
    """Django's admin with our own sign-in."""

    default = False
    default_site = "accounts.staff_login.StaffSite"
