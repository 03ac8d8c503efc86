from django.apps import AppConfig


class InvestmentsConfig(AppConfig):
    name = "investments"

    def ready(self) -> None:
        from campaigns.services.amendments import on_room
        from investments import actions, jobs  # noqa: F401
        from investments.providers import check_settings
        from investments.services import approvals
        from investments.services.waiting import offer_free_places
        from investments.velocity import rule_set

        check_settings()
        approvals.check_settings()
        rule_set()
        on_room(offer_free_places)
