"""Reads for moderators: the queue, and what stands on the page of one case. Reporters are in none of them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from accounts.models import User
from accounts.reportable import TARGETS
from social.models import Appeal, Case, Comment, Decision, Post
from social.models.moderation import SANCTIONS, ReportReason, Rule

QUEUE_ORDER = ("-severity", "created_at", "id")
"""The gravest first, and among equals whichever has waited longest."""
AROUND = 4
"""Comments shown on each side of one, and under a post."""
MAX_SHOWN = 20
"""Details of reports, decisions and earlier cases on one page."""
RULE_FOR = {ReportReason.SPAM: Rule.SPAM, ReportReason.ABUSE: Rule.ABUSE, ReportReason.FRAUD: Rule.FRAUD}
"""The rule that is offered for what most people report."""


def cases(moderator: Any) -> QuerySet[Case]:
    """All but those about the moderator."""
    return Case.objects.exclude(person=moderator.pk).select_related("person", "claimed_by")


def queue(moderator: Any) -> QuerySet[Case]:
    return cases(moderator).filter(closed_at__isnull=True).order_by(*QUEUE_ORDER)


def next_case(moderator: Any, now: datetime, *, after: UUID | None = None) -> Case | None:
    """What the moderator should open next: nothing that somebody else is at."""
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lte=now) | Q(claimed_by=moderator.pk)
    waiting = queue(moderator).filter(free)
    return (waiting.exclude(pk=after) if after else waiting).first()


def appeals(moderator: Any) -> QuerySet[Appeal]:
    """All but those about the moderator, or against what they decided; oldest first."""
    others = Appeal.objects.exclude(decision__person=moderator.pk).exclude(decision__decided_by=moderator.pk)
    return others.select_related("decision__case__person", "decision__decided_by", "judged_by").order_by("pk")


def reasons(case: Case) -> list[dict[str, Any]]:
    """How often each reason was given, most frequent first: `reason`, `label` and `count`."""
    counted = case.reports.values("reason").annotate(count=Count("pk")).order_by("-count", "reason")
    return [{**row, "label": ReportReason(row["reason"]).label} for row in counted]


def rule_offered(case: Case) -> str:
    found = reasons(case)
    return RULE_FOR.get(ReportReason(found[0]["reason"]), Rule.OTHER) if found else Rule.OTHER


def details(case: Case) -> list[str]:
    """What reporters wrote, the newest first."""
    written = case.reports.exclude(details="").order_by("-pk").values_list("details", flat=True)
    return list(written[:MAX_SHOWN])


def present(case: Case) -> dict[str, Any] | None:
    """What was reported, as it is now; None: it is gone."""
    thing = thing_of(case)
    return None if thing is None else TARGETS[case.target_type].describe(thing)


def pictures_of(case: Case, thing: dict[str, Any] | None = None) -> dict[UUID, dict[str, Any]]:
    """
    The pictures of a case by the ids of their files: those that were reported, and those that the thing has now.

    :param thing: what `present` gave; asked for here if it is not given
    """
    descriptions = [*case.versions, thing or present(case) or {"pictures": []}]
    return {UUID(picture["id"]): picture for each in descriptions for picture in each["pictures"]}


def thing_of(case: Case) -> Any | None:
    return TARGETS[case.target_type].there().filter(pk=case.target_id).first()


def context_of(case: Case) -> dict[str, Any]:
    """What stands around it: the `post` of a comment, `comments`, the `group`, `channel` or `campaign` it is in."""
    thing = thing_of(case)
    if isinstance(thing, Comment):
        others = Comment.objects.filter(post=thing.post_id, parent=thing.parent_id).select_related("author")
        before = list(others.filter(pk__lt=thing.pk).order_by("-pk")[:AROUND])[::-1]
        after = list(others.filter(pk__gt=thing.pk).order_by("pk")[:AROUND])
        return {"post": thing.post, "comments": [*before, thing, *after], **_place(thing.post)}
    if isinstance(thing, Post):
        newest = thing.comments.select_related("author").order_by("-pk")[:AROUND]
        return {"comments": list(newest)[::-1], **_place(thing)}
    return {}


def _place(post: Post) -> dict[str, Any]:
    return {"group": post.group, "channel": post.channel, "campaign": post.campaign}


def decisions_on(case: Case) -> list[Decision]:
    """Everything that was decided about the thing, in this case and earlier ones; the newest first."""
    about = Decision.objects.filter(case__target_type=case.target_type, case__target_id=case.target_id)
    return _for_page(about)


def decisions_about(person_id: UUID | None, except_for: Case) -> list[Decision]:
    """What was decided about the person's other things; the newest first."""
    about = Decision.objects.filter(person=person_id, action__in=SANCTIONS).exclude(
        case__target_type=except_for.target_type, case__target_id=except_for.target_id
    )
    return _for_page(about) if person_id else []


def _for_page(decisions: QuerySet[Decision]) -> list[Decision]:
    shown = decisions.select_related("case", "decided_by", "undone_by", "undoes", "appeal")
    return list(shown.order_by("-pk")[:MAX_SHOWN])


def record_of(person: User | None) -> dict[str, int]:
    """How many cases there were about somebody's things, and what came of them."""
    if person is None:
        return {"cases": 0, "sanctions": 0}
    return {
        "cases": Case.objects.filter(person=person).count(),
        "sanctions": Decision.objects.sanctions_of(person.pk).standing().count(),
    }
