from django.apps import AppConfig


class InvestmentsConfig(AppConfig):
    name = "investments"

    def ready(self) -> None:
        from investments import tasks  # noqa: F401  (registers the outbox handlers)
        from investments.providers import check_settings

        check_settings()
