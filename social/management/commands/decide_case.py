"""`manage.py decide_case TARGET_ID ACTION --by EMAIL --rule RULE --words TEXT`"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.access import access_staff
from core import clock
from core.api.errors import NotFound, Refusal
from social.models import Case
from social.models.moderation import SANCTIONS, TIMED, Action, Rule
from social.permissions import MODERATE
from social.services.decisions import decide, open_case


class Command(BaseCommand):
    help = "Decide what is reported about a thing, as a moderator does in the admin."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("target_id", type=UUID, metavar="ID", help="of the post, comment, person, group or channel")
        parser.add_argument("action", choices=[Action.DISMISS, *SANCTIONS])
        parser.add_argument("--by", required=True, metavar="EMAIL", help="the moderator who decides")
        parser.add_argument("--rule", choices=Rule.values, default=Rule.OTHER)
        parser.add_argument("--words", default="", help="to the person")
        parser.add_argument("--days", type=int, default=7, help="of a freeze or a suspension")
        parser.add_argument("--hide", action="store_true", help="hide the thing too")

    def handle(self, *args: Any, target_id: UUID, action: str, **options: Any) -> None:
        now = clock.now()
        try:
            moderator = access_staff(options["by"], MODERATE)
            case = Case.objects.filter(target_id=target_id, closed_at__isnull=True).first()
            if case is None:
                raise NotFound()
            _, seen = open_case(moderator=moderator, case_id=case.pk, now=now)
            decide(
                moderator=moderator,
                case_id=case.pk,
                seen=seen,
                action=action,
                rule=options["rule"] if action in SANCTIONS else "",
                words=options["words"],
                length=timedelta(days=options["days"]) if action in TIMED else None,
                hides=options["hide"],
                now=now,
            )
        except Refusal as refusal:
            raise CommandError(refusal.detail) from None
        self.stdout.write(f"Decided: {Action(action).label}.")
