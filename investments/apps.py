from django.apps import AppConfig


class InvestmentsConfig(AppConfig):
    name = "investments"

    def ready(self) -> None:
        from investments import (
            receivers,  # noqa: F401  (listens to campaigns)
            tasks,  # noqa: F401  (registers the outbox handlers)
        )
        from investments.providers import check_settings

        check_settings()
