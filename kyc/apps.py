from django.apps import AppConfig


class KycConfig(AppConfig):
    name = "kyc"
    verbose_name = "Identity"

    def ready(self) -> None:
        from kyc.services import numbers  # noqa: F401  (registers itself for rewrap_keys)
