"""People whom one may know."""

from typing import Annotated, Any, Literal, Self
from uuid import UUID

import msgspec
from msgspec import Meta

from accounts.outputs.people import UserCard
from core.api.outputs import Count, Output


class SuggestionReason(Output):
    """What we have in common."""

    kind: Annotated[
        Literal["same_campaign", "shared_group", "mutual_follow"],
        Meta(description="`same_campaign`: both of us show which campaigns we back."),
    ]
    id: Annotated[UUID, Meta(description="Of the campaign, the group, or the person whom both of us know.")]
    name: str


class Suggestion(Output):
    user: UserCard
    reasons: Annotated[list[SuggestionReason], Meta(min_length=1, description="At most three of each kind.")]
    mutual_count: Annotated[Count, Meta(description="How many of the 200 people I followed last follow this person.")]

    @classmethod
    def of_row(cls, row: Any) -> Self:
        """From a row of `social/sql/suggestion_list.sql`."""
        kinds = (row.campaigns, row.groups, row.follows)
        return cls(
            user=UserCard.of_columns(row.user_id, row.first_name, row.last_name, row.profile_photo, row.badges),
            reasons=[reason for given in kinds if given for reason in _reasons.decode(given)],
            mutual_count=row.mutual_count,
        )


_reasons = msgspec.json.Decoder(list[SuggestionReason])
