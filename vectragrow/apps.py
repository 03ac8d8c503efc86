from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class VectragrowConfig(AppConfig):
    """The roof: pages, commands about the whole, and nothing that others import."""

    name = "vectragrow"
    default = True

    def ready(self) -> None:
        from vectragrow import celery  # noqa: F401  (makes our Celery application the one that tasks belong to)


class StaffAdminConfig(admin_apps.AdminConfig):
    """Django's admin behind our own door."""

    default = False
    default_site = "accounts.staff_login.StaffSite"
