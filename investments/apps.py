from django.apps import AppConfig


class InvestmentsConfig(AppConfig):
    name = "investments"

    def ready(self) -> None:
        from investments import actions, jobs  # noqa: F401
        from investments.providers import check_settings

        check_settings()
