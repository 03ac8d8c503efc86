"""
Business events that are counted beside those of clients: facts that the platform recorded itself (`core.events`).

They are read from the table of recorded events by their id, some time after their commit, so that recording one costs
nothing more. An event has the same id in the audit log, in notices, at listeners and here.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Business:
    """A kind of recorded events that is counted. Names in quotes are those of its facts."""

    kind: str
    person: str = ""
    """The fact that names whose act it is; empty: the actor's."""
    campaign: str = ""
    """The fact that names the campaign it is about; empty: its subject, if that is a campaign."""
    subject: str = ""
    """The fact that names whom or what it is about; empty: nobody."""


COUNTED = (
    Business("account.registered"),
    Business("kyc.case_verified", person="user_id"),
    Business("campaign.published", person="owner_id"),
    Business("campaign.followed"),
    Business("investment.placed", campaign="campaign_id"),
    Business("investment.committed", person="investor_id", campaign="campaign_id"),
    Business("investment.invested", person="investor_id", campaign="campaign_id"),
    Business("investment.refunded", person="investor_id", campaign="campaign_id"),
    Business("investment.failed", person="investor_id", campaign="campaign_id"),
    Business("account.followed"),
    Business("post.published", campaign="campaign_id"),
    Business("post.liked", subject="author_id"),
    Business("comment.added"),
    Business("group.joined"),
    Business("story.published"),
)
