from django.apps import AppConfig


class InvestmentsConfig(AppConfig):
    name = "investments"

    def ready(self) -> None:
        from investments import (
            privacy,  # noqa: F401  (speaks for people)
            receivers,  # noqa: F401  (listens to campaigns)
            tasks,  # noqa: F401  (registers the outbox handlers)
        )
        from investments.providers import check_settings

        check_settings()
